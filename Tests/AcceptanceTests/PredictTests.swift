import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("predict: files, folders, standard input and sources in three formats") struct PredictTests {
  let runs: PhotoRuns
  let folder: TemporaryFolder

  init() throws {
    runs = try PhotoRuns.trained()
    folder = try TemporaryFolder()
  }

  func arguments(_ more: [String]) -> [String] {
    ["predict", "--checkpoint", runs.model, "--threads", "1"] + more
  }

  func predict(_ more: [String], input: String? = nil) throws -> Program.Outcome {
    try onepass.run(arguments(more), input: input)
  }

  /// Writes images and returns their paths.
  func images(_ names: [String]) throws -> [String] {
    for (index, name) in names.enumerated() { try folder.write(PhotoRuns.file(index), to: name) }
    return names.map(folder.file)
  }

  /// The objects of JSON Lines.
  func records(_ outcome: Program.Outcome) throws -> [[String: Any]] {
    try outcome.output.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  /// The fields of CSV by RFC 4180.
  func csv(_ text: String) -> [[String]] {
    var (rows, row, field, isQuoted) = ([[String]](), [String](), "", false)
    var scalars = Array(text.unicodeScalars)[...]
    while let scalar = scalars.popFirst() {
      if isQuoted {
        if scalar != "\"" {
          field.unicodeScalars.append(scalar)
        } else if scalars.first == "\"" {
          field.unicodeScalars.append(scalars.removeFirst())
        } else {
          isQuoted = false
        }
      } else if scalar == "\"" {
        isQuoted = true
      } else if scalar == "," || scalar == "\n" {
        row.append(field)
        field = ""
        if scalar == "\n" { (rows, row) = (rows + [row], []) }
      } else {
        field.unicodeScalars.append(scalar)
      }
    }
    return rows
  }

  @Test("A damaged file in a folder does not affect the others")
  func damagedFile() throws {
    // More than two mini-batches, with broken images in the first and in the last.
    let names = (10..<80).map { "photos/\($0).png" }
    let paths = try images(names)
    try folder.write(Array(PhotoRuns.file(2).prefix(60)), to: "photos/12.png")
    try folder.write([], to: "photos/79.png")
    try folder.write([1], to: "photos/notes.txt")
    let outcome = try predict(["--format", "json-lines", folder.file("photos"), folder.file("none.jpg")])
    #expect(outcome.status == 65)
    let records = try records(outcome)
    try #require(records.count == 71)
    #expect(records.map { $0["name"] as? String } == paths + [folder.file("none.jpg")])
    #expect(records.indices.filter { records[$0]["error"] != nil } == [2, 69, 70])
    #expect(records.allSatisfy { ($0["error"] == nil) != ($0["predictions"] == nil) })
    let errors = outcome.errors.split(separator: "\n").map(String.init)
    try #require(errors.count == 5, "\(outcome.errors)")
    #expect(errors[0].hasPrefix("Note: \(folder.file("photos")): left out 1 entry"))
    #expect(errors[1].hasPrefix("\(folder.file("photos/12.png")) cannot be decoded. The PNG is "))
    #expect(errors[3].hasPrefix("\(folder.file("none.jpg")): cannot open: No such file"))
    #expect(
      errors[4] == "Error: 3 of 71 images could not be predicted (see above); replace or remove the images.")
    // Each prediction equals that of the image alone.
    for index in [0, 33, 68] {
      let alone = try self.records(predict(["--format", "json-lines", paths[index]]))[0]
      let pair = [alone, records[index]].map { $0["predictions"] as? [[String: Any]] ?? [] }
      #expect(pair[0].map { $0["name"] as? String } == pair[1].map { $0["name"] as? String })
      for (a, b) in zip(pair[0], pair[1]) {
        #expect(abs((a.number("probability") ?? 2) - (b.number("probability") ?? 0)) < 1e-5)
      }
    }
  }

  @Test("With --strict, the first image that cannot be predicted ends the command")
  func strict() throws {
    let paths = try images(["a.png", "b.png", "c.png"])
    try folder.write([1, 2, 3], to: "b.png")
    let outcome = try predict(["--strict"] + paths)
    #expect(outcome.status == 65 && outcome.errors.contains("Error: \(paths[1]) cannot be decoded."))
    #expect(outcome.output.hasPrefix("\(paths[0]): ") && !outcome.output.contains("c.png"))
    let missing = try predict(["--strict", folder.file("none.png")])
    #expect(
      missing.status == 74 && missing.errors.hasPrefix("Error: \(folder.file("none.png")): cannot open"))
    try folder.write([1], to: "f/notes.txt")
    try folder.write(PhotoRuns.file(1), to: "f/a.png")
    let leftOut = try predict(["--strict", folder.file("f")])
    #expect(leftOut.status == 65 && leftOut.errors.contains("--strict: "), "\(leftOut.errors)")
  }

  @Test("Names with commas, quotation marks and line breaks survive CSV and JSON")
  func unusualNames() throws {
    let names = ["a,b.png", "say \"hi\".png", "two\nlines.png", "é猫.png", "back\\slash.png"]
    let paths = try images(names.map { "photos/\($0)" })
    try folder.write([1], to: "broken, too.png")
    let all = paths + [folder.file("broken, too.png")]
    let outcome = try predict(["--format", "csv", "--top", "2"] + all)
    #expect(outcome.status == 65)
    let rows = csv(outcome.output)
    try #require(rows.count == 12, "\(outcome.output)")
    #expect(rows[0] == ["name", "rank", "class", "class_name", "probability", "error"])
    try #require(rows.allSatisfy { $0.count == 6 })
    #expect(rows.dropFirst().map { $0[0] } == paths.flatMap { [$0, $0] } + [all[5]])
    #expect(rows[1...10].map { $0[1] } == (0..<5).flatMap { _ in ["1", "2"] })
    for row in rows[1...10] {
      let label = try #require(Int(row[2]))
      #expect(row[3] == PhotoRuns.classes[label] && row[5].isEmpty)
    }
    #expect(rows[11][1...4].allSatisfy(\.isEmpty) && rows[11][5].contains("cannot be decoded"))
    let lines = try records(predict(["--format", "json-lines", "--top", "2"] + all))
    #expect(lines.map { $0["name"] as? String } == all)
    for (line, row) in zip(lines, stride(from: 1, to: 11, by: 2)) {
      let best = try #require((line["predictions"] as? [[String: Any]])?.first)
      #expect(best["name"] as? String == rows[row][3])
      // JSONSerialization on Linux reads some numbers of 16 digits as a double near the nearest one.
      let (one, other) = (try #require(best.number("probability")), try #require(Double(rows[row][4])))
      #expect(abs(one - other) <= 8 * one.ulp, "\(line) and \(rows[row])")
    }
    let text = try predict(["--top", "1"] + all).output.split(separator: "\n")
    try #require(text.count == 5)
    #expect(text[2].hasPrefix("\(folder.path)/photos/two\\x0Alines.png: "))
  }

  @Test("--json is one array, also with images that cannot be predicted")
  func jsonArray() throws {
    let paths = try images((0..<40).map { "\($0).png" })
    let whole = try predict(["--json"] + paths)
    let array = try JSONSerialization.jsonObject(with: Data(whole.output.utf8)) as? [[String: Any]]
    #expect(
      array?.map { $0["image"] as? String } == paths && whole.output.hasPrefix("[\n  {\n    \"classes\" : ["))
    #expect((array?[0]["classes"] as? [[String: Any]])?.count == 3)
    try folder.write([1], to: "7.png")
    for more in [[], ["--strict"]] {
      let outcome = try predict(["--json"] + more + paths)
      let some = try JSONSerialization.jsonObject(with: Data(outcome.output.utf8)) as? [[String: Any]]
      #expect(outcome.status == 65 && some?.count == (more.isEmpty ? 40 : 7))
      #expect(more != [] || some?[7]["error"] as? String != nil)
    }
  }

  @Test("Paths on standard input end with a line break or a zero byte")
  func standardInput() throws {
    let paths = try images(["a.png", "b c.png", "d\n.png"])
    try folder.write(Array("\(paths[0])\n\n\(paths[1])\r\n\(folder.file("none"))".utf8), to: "lines")
    let lines = try predict(["--format", "json-lines", "-"], input: folder.file("lines"))
    #expect(lines.status == 65 && lines.errors.contains("1 of 3 images could not be predicted"))
    #expect(try records(lines).map { $0["name"] as? String } == [paths[0], paths[1], folder.file("none")])
    try folder.write(Array(paths.map { $0 + "\u{0}" }.joined().utf8), to: "zeros")
    let zeros = try predict(["--format", "json-lines", "-0", "-"], input: folder.file("zeros"))
    #expect(zeros.status == 0, "\(zeros.errors)")
    #expect(try records(zeros).map { $0["name"] as? String } == paths)
    // Order of the arguments, a folder among them.
    let mixed = try predict(
      ["--format", "json-lines", paths[1], "-", runs.folder.file("test/ant")], input: folder.file("lines"))
    let names = try records(mixed).compactMap { $0["name"] as? String }
    #expect(names.prefix(4) == [paths[1], paths[0], paths[1], folder.file("none")] && names.count == 14)
    let image = try predict(["-"], input: paths[0])
    #expect(image.status == 65 && image.errors.contains("standard input:"), "\(image.errors)")
    #expect(try predict(["-"]).status == 0)
  }

  @Test("A prediction is printed while standard input waits for the next path", .timeLimit(.minutes(2)))
  func livePaths() throws {
    let paths = try images(["a.png", "b.png", "c.png"])
    let process = Process()
    process.executableURL = URL(fileURLWithPath: onepass.path)
    process.arguments = arguments(["--top", "1", "-"])
    let (input, output) = (Pipe(), Pipe())
    (process.standardInput, process.standardOutput) = (input, output)
    try process.run()
    defer { process.terminate() }
    for path in paths {
      try input.fileHandleForWriting.write(contentsOf: Data("\(path)\n".utf8))
      // Blocks until the prediction of this path arrives; its input stays open.
      let text = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
      #expect(text.hasPrefix("\(path): ") && text.hasSuffix("%\n"), "\(text)")
    }
    try input.fileHandleForWriting.close()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
  }

  @Test("A closed standard output ends the command quietly")
  func closedOutput() throws {
    let paths = try images((0..<70).map { "\($0).png" })
    // A client library of a broker in the process of the tests ignores SIGPIPE, which children inherit.
    let start = "perl -e '$SIG{PIPE} = \"DEFAULT\"; exec @ARGV' \"$0\" \"$@\""
    try folder.write(
      Array("\(start) 2>\"$ERRORS\" | head -n 1; echo ${PIPESTATUS[0]}".utf8), to: "script")
    let outcome = try Program(path: "/bin/bash").run(
      ["-c", String(decoding: folder.bytes(of: "script"), as: UTF8.self), onepass.path]
        + arguments(Array(repeating: paths, count: 20).flatMap { $0 }),
      environment: ["ERRORS": folder.file("errors")])
    let lines = outcome.output.split(separator: "\n")
    try #require(lines.count == 2, "\(outcome)")
    #expect(lines[0].hasPrefix("\(paths[0]): ") && lines[1] == "141", "\(outcome)")
    #expect(try folder.bytes(of: "errors").isEmpty)
  }

  @Test("The images of a source are predicted without their labels")
  func sources() throws {
    let test = try predict(["--format", "json-lines", "folder:\(runs.test)"])
    #expect(test.status == 0, "\(test.errors)")
    let names = try records(test).compactMap { $0["name"] as? String }
    #expect(names.count == 40 && Set(names).count == 40 && names.allSatisfy { $0.hasPrefix(runs.test) })
    let unknown = try predict(["wds:\(folder.file("none.tar"))"])
    #expect(unknown.status == 74 && unknown.output.isEmpty)
  }
}
