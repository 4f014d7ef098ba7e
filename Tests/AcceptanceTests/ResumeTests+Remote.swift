import Foundation
import TestSupport
import Testing

extension ResumeTests {
  /// A run from a server with failing connections, stopped and resumed with another signature, equals a run on the local
  /// file. No file contains a signature.
  @Test(
    "A remote stream resumes under another signature, and no file contains one",
    arguments: [["--method", "naive"], ["--replay-steps", "1", "--shuffle-buffer", "40"]])
  func aRemoteStreamResumes(options: [String]) throws {
    let method = options + ["--classes", "4"]
    try runs.pack("t-{0..1}.tar")
    let files = try Dictionary(
      uniqueKeysWithValues: ["t-0.tar", "t-1.tar", "t.json"].map { ($0, try folder.bytes(of: $0)) })
    let server = try LoopbackServer { request, _, connection in
      guard request.target.hasSuffix("?sig=s3cr3t") || request.target.hasSuffix("?sig=s3cr3t2"),
        let whole = files[String(request.target.dropFirst().prefix { $0 != "?" })]
      else { return connection.answer("403 Forbidden") }
      let start = request.rangeStart ?? 0
      connection.head(
        start > 0 ? "206 Partial Content" : "200 OK",
        [
          "Content-Length": "\(whole.count - start)", "ETag": "\"\(whole.count)\"",
          "Content-Range": "bytes \(start)-\(whole.count - 1)/\(whole.count)",
        ])
      connection.send(Array(whole[start...].prefix(60_000)))
    }
    let address = "wds:" + server.url("t-{0..1}.tar?sig=s3cr3t")
    let whole = try runs.train("whole", method, data: address)
    let running = try runs.start("parts", method + ["--checkpoint-every", "2"], data: address)
    _ = running.wait(for: "\"event\":\"step\"", times: 2)
    running.signal(SIGTERM)
    runs.expectStopped(running, "parts")
    let state = try Files.grep("s3cr3t", in: folder.file("parts"))
    #expect(state.isEmpty, "\(state)")
    let last = try runs.resume("parts", method, data: address + "2")
    try expect("parts", is: outcome("whole"), "\(method)")
    try runs.train("local", method, data: "wds:\(folder.file("t-{0..1}.tar"))")
    try runs.expectSame("local", "whole")
    for run in [whole, last] { #expect(!(run.output + run.errors).contains("s3cr3t")) }
    for name in ["whole", "parts"] {
      #expect(try Files.grep("s3cr3t", in: folder.file(name)).isEmpty)
      let result = try runs.text("\(name)/result.json")
      #expect(result.contains("t-{0..1}.tar?…"), "\(result)")
    }
    let wrong = "wds:" + server.url("t-{0..1}.tar?sig=wr0ng")
    let refused = try runs.attempt("no", method, data: wrong)
    #expect(refused.status == 64 && !refused.errors.contains("wr0ng"), "\(refused.errors)")
    let other = try runs.attempt("no", method + ["--limit", "99"], data: wrong)
    #expect(other.status == 74 && other.errors.contains("access denied (403)"), "\(other.errors)")
    #expect(!other.errors.contains("wr0ng"), "\(other.errors)")
  }
}

private enum Files {
  /// The files below a folder that contain a text.
  static func grep(_ text: String, in folder: String) throws -> [String] {
    let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return files.filter { name in
      let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
      return bytes.range(of: Data(text.utf8)) != nil
    }
  }
}
