import Foundation
import TestSupport
import Testing

extension ResumeTests {
  /// From a server whose connections break all the time, stopped on the way, and gone on with under another signature: the
  /// run is the one on the file itself, and no signature is left anywhere.
  @Test(arguments: [["--method", "naive"], ["--replay-steps", "1", "--shuffle-buffer", "40"]])
  func aRemoteStreamGoesOnWhereItWas(options: [String]) throws {
    let method = options + ["--classes", "4"]
    let packed = try onepass.run([
      "pack", "idx:\(folder.path)", "--output", folder.file("t-{0..1}.tar"), "--seed", "3",
    ])
    #expect(packed.status == 0, "\(packed.errors)")
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
    let whole = try onepass.run(arguments("whole", method, data: address))
    #expect(whole.status == 0, "\(whole.errors)")
    let running = try RunningProgram(
      onepass, arguments("parts", method + ["--checkpoint-every", "2"], data: address))
    _ = running.wait(for: "\"event\":\"step\"", times: 2)
    running.signal(SIGTERM)
    #expect(running.wait() == 0, "\(running.errors)")
    let state = try Files.grep("s3cr3t", in: folder.file("parts"))
    #expect(state.isEmpty, "\(state)")
    let last = try onepass.run(arguments("parts", method + ["--resume"], data: address + "2"))
    #expect(last.status == 0, "\(last.errors)")
    try expectEqual("whole", "parts", "\(method)")
    let local = try onepass.run(arguments("local", method, data: "wds:\(folder.file("t-{0..1}.tar"))"))
    #expect(local.status == 0)
    #expect(try outcome("local")["model.safetensors"] == outcome("whole")["model.safetensors"])
    for run in [whole, last] { #expect(!(run.output + run.errors).contains("s3cr3t")) }
    for name in ["whole", "parts"] {
      #expect(try Files.grep("s3cr3t", in: folder.file(name)).isEmpty)
      let result = String(decoding: try folder.bytes(of: "\(name)/result.json"), as: UTF8.self)
      #expect(result.contains("t-{0..1}.tar?…"), "\(result)")
    }
    let refused = try onepass.run(
      arguments("no", method, data: "wds:" + server.url("t-{0..1}.tar?sig=wr0ng")))
    #expect(refused.status == 64 && !refused.errors.contains("wr0ng"), "\(refused.errors)")
    let other = try onepass.run(
      arguments(
        "no", method + ["--limit", "99"],
        data: "wds:" + server.url("t-{0..1}.tar?sig=wr0ng")))
    #expect(other.status == 74 && other.errors.contains("refuses it (403)"), "\(other.errors)")
    #expect(!other.errors.contains("wr0ng"), "\(other.errors)")
  }
}

private enum Files {
  /// The files below a folder that hold a text.
  static func grep(_ text: String, in folder: String) throws -> [String] {
    let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
    return files.filter { name in
      let bytes = FileManager.default.contents(atPath: "\(folder)/\(name)") ?? Data()
      return bytes.range(of: Data(text.utf8)) != nil
    }
  }
}
