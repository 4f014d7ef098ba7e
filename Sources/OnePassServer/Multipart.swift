import Foundation

/// A part of a `multipart/form-data` body (RFC 7578).
struct FormPart: Equatable {
  /// Header names in lower case.
  var headers: [String: String] = [:]
  var body: ArraySlice<UInt8>

  /// A parameter of the part's Content-Disposition, such as `name`.
  func disposition(_ name: String) -> String? {
    HeaderParameters.value(of: name, in: headers["content-disposition"] ?? "")
  }
}

/// The parameters of a header: `form-data; name="image"`.
enum HeaderParameters {
  static func value(of name: String, in header: String) -> String? {
    for part in header.split(separator: ";").dropFirst() {
      let pair = part.split(separator: "=", maxSplits: 1).map { $0.trimmingCharacters(in: .whitespaces) }
      guard pair.count == 2, pair[0].lowercased() == name else { continue }
      return pair[1].trimmingCharacters(in: CharacterSet(charactersIn: "\""))
    }
    return nil
  }
}

enum Multipart {
  static let type = "multipart/form-data"

  /// The parts of a body.
  /// - Returns: `nil` if the body does not have the form of the content type.
  static func parts(_ body: [UInt8], contentType: String) -> [FormPart]? {
    guard let boundary = HeaderParameters.value(of: "boundary", in: contentType),
      (1...70).contains(boundary.utf8.count)
    else { return nil }
    let delimiter = Array("--\(boundary)".utf8)
    var rest = body[...]
    guard rest.starts(with: delimiter) else { return nil }
    rest = rest.dropFirst(delimiter.count)
    var parts: [FormPart] = []
    while !rest.starts(with: "--".utf8) {
      guard rest.starts(with: "\r\n".utf8),
        let end = range(of: Array("\r\n".utf8) + delimiter, in: rest.dropFirst(2)),
        let part = part(rest[rest.startIndex + 2..<end.lowerBound])
      else { return nil }
      parts.append(part)
      rest = body[end.upperBound...]
    }
    return parts
  }

  private static func part(_ bytes: ArraySlice<UInt8>) -> FormPart? {
    guard let blank = range(of: Array("\r\n\r\n".utf8), in: bytes) else { return nil }
    var part = FormPart(body: bytes[blank.upperBound...])
    for line in String(decoding: bytes[..<blank.lowerBound], as: UTF8.self).components(separatedBy: "\r\n") {
      let pair = line.split(separator: ":", maxSplits: 1)
      guard pair.count == 2 else { return nil }
      part.headers[pair[0].lowercased()] = pair[1].trimmingCharacters(in: .whitespaces)
    }
    return part
  }

  private static func range(of pattern: [UInt8], in bytes: ArraySlice<UInt8>) -> Range<Int>? {
    var start = bytes.startIndex
    while start + pattern.count <= bytes.endIndex {
      guard let next = bytes[start...].firstIndex(of: pattern[0]), next + pattern.count <= bytes.endIndex
      else {
        return nil
      }
      if bytes[next..<next + pattern.count].elementsEqual(pattern) { return next..<next + pattern.count }
      start = next + 1
    }
    return nil
  }
}
