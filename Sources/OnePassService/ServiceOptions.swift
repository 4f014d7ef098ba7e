import Foundation
import OnePass
import OnePassCore

/// The options of a service: the section `serve:` of its configuration file.
package struct ServiceOptions: Sendable {
  /// The folder with everything that the service keeps.
  package var folder = ""
  /// The host and port to listen on.
  package var (host, port) = ("127.0.0.1", 8080)
  /// The name of the model in the Open Inference Protocol.
  package var name = "onepass"
  /// The file of the tokens; `nil` for none.
  package var tokens: String?
  /// Whether requests without a token are served, on loopback only.
  package var isInsecure = false
  /// The PEM files of the certificate chain and its key, for TLS.
  package var (certificate, key): (String?, String?) = (nil, nil)
  /// The largest body of a request in bytes.
  package var bodyBytes = 16 << 20
  /// The largest decoded image in pixels.
  package var pixels = 25_000_000
  /// The maximum number of connections.
  package var connections = 256
  /// The time in seconds after which an idle connection is closed.
  package var idleSeconds = 60.0
  package var inbox = InboxLimits()
  package var waiting = WaitingLimits()
  /// The seconds between two checkpoints.
  package var checkpointSeconds = 60.0
  /// The seconds between two sets of weights.
  package var weightsSeconds = 1.0
  /// Whether logs are JSON objects.
  package var logsJSON = false

  /// A body is in memory as a whole, several times.
  private static let largestBody = 1 << 30

  package init() {}

  /// Sets an option by its name in the file.
  /// - Throws: `OnePassError` (`usage`).
  package mutating func set(_ name: String, to value: String) throws {
    guard let option = Self.options[name] else {
      throw OnePassError(
        .usage,
        "\(name) is not an option of `onepass serve`; it has \(Self.options.keys.sorted().joined(separator: ", "))."
      )
    }
    guard option.set(&self, value) else {
      throw OnePassError(.usage, "\(name) must be \(option.form) (got \(value)).")
    }
  }

  /// Checks what single values do not show.
  /// - Throws: `OnePassError` (`usage`).
  package func check() throws {
    guard !folder.isEmpty else {
      throw OnePassError(
        .usage, "serve: folder is required; name the folder that the service keeps its files in.")
    }
    guard bodyBytes <= Self.largestBody else {
      throw OnePassError(.usage, "serve: body-limit must be at most 1GiB (got \(ByteCount(bodyBytes))).")
    }
    guard (certificate == nil) == (key == nil) else {
      throw OnePassError(.usage, "serve: certificate and key are required together.")
    }
    guard tokens != nil || isInsecure else {
      throw OnePassError(
        .usage,
        "serve: tokens is required; name a file of tokens, or set insecure-loopback: true to serve this machine without any."
      )
    }
    guard !isInsecure || (tokens == nil && ["127.0.0.1", "::1", "localhost"].contains(host)) else {
      throw OnePassError(
        .usage, "serve: insecure-loopback requires a loopback address and no tokens (got \(host)).")
    }
  }

  // MARK: The names

  private struct Option: Sendable {
    let form: String
    let set: @Sendable (inout ServiceOptions, String) -> Bool
  }

  private static let options: [String: Option] = [
    "folder": text("a folder", \.folder),
    "listen": Option(form: "HOST:PORT") { $0.listen($1) },
    "name": Option(form: "1 to 64 letters, digits, -, _ and .") { options, value in
      options.name = value
      return (1...64).contains(value.count)
        && value.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "-_.".contains($0)) }
    },
    "tokens": optionalText("a file", \.tokens),
    "insecure-loopback": flag(\.isInsecure),
    "certificate": optionalText("a PEM file", \.certificate),
    "key": optionalText("a PEM file", \.key),
    "body-limit": bytes(\.bodyBytes),
    "decoded-limit": count("a number of pixels", \.pixels),
    "connections": count("a number of connections", \.connections),
    "idle-timeout": time(\.idleSeconds),
    "queue-limit": count("a number of examples", \.inbox.examples),
    "queue-bytes": bytes(\.inbox.bytes),
    "remembered-keys": count("a number of keys", \.inbox.keys),
    "waiting-limit": count("a number of images", \.waiting.images),
    "waiting-bytes": bytes(\.waiting.bytes),
    "waiting-time": time(\.waiting.seconds),
    "checkpoint-every": time(\.checkpointSeconds),
    "weights-every": time(\.weightsSeconds),
    "log": Option(form: "lines or json") { options, value in
      options.logsJSON = value == "json"
      return ["lines", "json"].contains(value)
    },
  ]

  private static func text(
    _ form: String, _ path: any WritableKeyPath<ServiceOptions, String> & Sendable
  ) -> Option {
    Option(form: form) {
      $0[keyPath: path] = $1
      return !$1.isEmpty
    }
  }

  private static func optionalText(
    _ form: String, _ path: any WritableKeyPath<ServiceOptions, String?> & Sendable
  ) -> Option {
    Option(form: form) {
      $0[keyPath: path] = $1
      return !$1.isEmpty
    }
  }

  private static func flag(_ path: any WritableKeyPath<ServiceOptions, Bool> & Sendable) -> Option {
    Option(form: "true or false") {
      $0[keyPath: path] = $1 == "true"
      return ["true", "false"].contains($1)
    }
  }

  private static func count(
    _ form: String, _ path: any WritableKeyPath<ServiceOptions, Int> & Sendable
  ) -> Option {
    Option(form: "\(form), at least 1") {
      guard let value = Int($1), value >= 1 else { return false }
      $0[keyPath: path] = value
      return true
    }
  }

  private static func bytes(_ path: any WritableKeyPath<ServiceOptions, Int> & Sendable) -> Option {
    Option(form: "a size with a unit, such as 16MiB") {
      guard let value = ByteCount($1), value.bytes >= 1 else { return false }
      $0[keyPath: path] = value.bytes
      return true
    }
  }

  private static func time(_ path: any WritableKeyPath<ServiceOptions, Double> & Sendable) -> Option {
    Option(form: "a time with a unit, such as 60s") {
      guard let value = TimeSpan.seconds($1, allowsDays: true) else { return false }
      $0[keyPath: path] = value
      return true
    }
  }

  private mutating func listen(_ value: String) -> Bool {
    guard let colon = value.lastIndex(of: ":"), let port = Int(value[value.index(after: colon)...]),
      (0...65_535).contains(port)
    else { return false }
    var host = String(value[..<colon])
    if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
    (self.host, self.port) = (host, port)
    return !host.isEmpty
  }
}
