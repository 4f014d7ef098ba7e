import Foundation
import HTTPTypes
import OnePassCore

/// What a token permits.
enum Role: String, CaseIterable, Sendable {
  case learn, predict, manage, see
}

/// The tokens of a service and their roles, from a file of lines `ROLE[,ROLE…] TOKEN`.
struct Tokens: Sendable {
  private struct Token: Sendable {
    let bytes: [UInt8]
    let roles: Set<Role>
  }

  private let tokens: [Token]
  private static let shortest = 16

  /// - Throws: `OnePassError`: `io` if the file cannot be read; `usage` if others may read it, or a line is no token.
  init(file path: String) throws {
    let text: String
    do {
      let attributes = try FileManager.default.attributesOfItem(atPath: path)
      let mode = (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
      guard mode & 0o077 == 0 else {
        throw OnePassError(
          .usage,
          "\(path): other users may read the tokens (mode \(String(mode, radix: 8))); run chmod 600 \(path).")
      }
      text = try String(contentsOfFile: path, encoding: .utf8)
    } catch let error as OnePassError { throw error } catch {
      throw OnePassError(.io, "\(path): cannot be read (\(error.localizedDescription)).", cause: error)
    }
    tokens = try text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated()
      .compactMap {
        try Self.token($1, "\(path):\($0 + 1)")
      }
    guard !tokens.isEmpty else {
      throw OnePassError(.usage, "\(path): contains no token; add a line such as `learn,predict TOKEN`.")
    }
  }

  private static func token(_ line: Substring, _ place: String) throws -> Token? {
    let parts = line.split(whereSeparator: \.isWhitespace)
    guard let first = parts.first, !first.hasPrefix("#") else { return nil }
    let roles = first.split(separator: ",", omittingEmptySubsequences: false).map {
      Role(rawValue: String($0))
    }
    // The line itself may be a secret, and is not repeated.
    guard parts.count == 2, !roles.contains(nil) else {
      throw OnePassError(
        .usage,
        "\(place): must be ROLE[,ROLE] TOKEN with the roles \(Role.allCases.map(\.rawValue).joined(separator: ", "))."
      )
    }
    guard parts[1].utf8.count >= shortest else {
      throw OnePassError(
        .usage, "\(place): a token must have at least \(shortest) characters (got \(parts[1].utf8.count)).")
    }
    return Token(bytes: Array(parts[1].utf8), roles: Set(roles.compactMap(\.self)))
  }

  /// The roles of a token; `nil` if it is unknown. Takes the same time for every token of a length.
  func roles(of given: [UInt8]) -> Set<Role>? {
    var found: Set<Role>?
    for token in tokens where token.bytes.count == given.count {
      var difference: UInt8 = 0
      for (a, b) in zip(token.bytes, given) { difference |= a ^ b }
      if difference == 0 { found = (found ?? []).union(token.roles) }
    }
    return found
  }
}

/// Decides who may use a route.
struct Access: Sendable {
  /// `nil` without tokens, for this machine only.
  let tokens: Tokens?

  /// - Parameters:
  ///   - role: The role that the route needs; `nil` for none.
  ///   - allowsBasic: Whether a token is also accepted as the password of HTTP Basic, which browsers ask for.
  /// - Throws: ``Problem``.
  func check(_ request: HTTPRequest, needs role: Role?, allowsBasic: Bool) throws {
    guard let tokens else { return try Self.checkOrigin(request) }
    guard let role else { return }
    guard let given = Self.token(request.headerFields[.authorization], allowsBasic: allowsBasic),
      let roles = tokens.roles(of: given)
    else { throw Problem.noToken(allowsBasic: allowsBasic) }
    guard roles.contains(role) else { throw Problem.noRole(role) }
  }

  private static func token(_ authorization: String?, allowsBasic: Bool) -> [UInt8]? {
    guard let authorization, let space = authorization.firstIndex(of: " ") else { return nil }
    let value = authorization[space...].trimmingCharacters(in: .whitespaces)
    switch authorization[..<space].lowercased() {
    case "bearer": return Array(value.utf8)
    case "basic" where allowsBasic:
      guard let data = Data(base64Encoded: value), let colon = data.firstIndex(of: UInt8(ascii: ":")) else {
        return nil
      }
      return Array(data[data.index(after: colon)...])
    default: return nil
    }
  }

  /// Without tokens, a page of another site must not reach the service through the browser of a user of this machine.
  private static func checkOrigin(_ request: HTTPRequest) throws {
    let host = request.authority.map { name -> Substring in
      if name.hasPrefix("["), let end = name.firstIndex(of: "]") { return name[...end] }
      return name.prefix { $0 != ":" }
    }
    let isLoopback = host.map { ["localhost", "127.0.0.1", "[::1]"].contains($0.lowercased()) } ?? true
    let site = HTTPField.Name("Sec-Fetch-Site").flatMap { request.headerFields[$0] } ?? "none"
    let origin = request.headerFields[.origin].flatMap { URLComponents(string: $0)?.host }
    let isForeign =
      request.headerFields[.origin] != nil && !["localhost", "127.0.0.1", "::1", "[::1]"].contains(origin)
    guard isLoopback, !isForeign, ["none", "same-origin"].contains(site) else { throw Problem.foreignOrigin }
  }
}
