import Foundation
import TestSupport
import TestTraits
import Testing

/// The commit in the generated source file, and in the records of the program.
@Suite("The commit that a build records", .waitsForPrograms) struct SourceRevisionTests {
  let folder: TemporaryFolder
  var package: String { folder.file("package") }

  init() throws {
    folder = try TemporaryFolder()
    try folder.write(Array("// a package".utf8), to: "package/Package.swift")
  }

  @discardableResult
  func git(_ arguments: String...) throws -> String {
    let names = ["-c", "user.name=test", "-c", "user.email=test@localhost", "-C", package]
    let outcome = try Program(path: "/usr/bin/env").run(["git"] + names + arguments)
    try #require(outcome.status == 0, "\(outcome.errors)")
    return outcome.output.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  func commit() throws -> String {
    try git("init", "-q")
    try git("add", "-A")
    try git("commit", "-q", "-m", "As it stands")
    return try git("rev-parse", "HEAD")
  }

  /// The two values in the file that the script writes.
  func revision(environment: [String: String] = [:]) throws -> [String] {
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../scripts/revision").standardizedFileURL.path
    let outcome = try Program(path: "/bin/sh").run(
      [script, package, folder.file("written")], environment: environment)
    #expect(outcome.status == 0 && outcome.errors.isEmpty, "\(outcome.errors)")
    return String(decoding: try folder.bytes(of: "written/SourceRevision.swift"), as: UTF8.self)
      .split(separator: "\n").map { String($0.split(separator: "= ")[1]) }
  }

  @Test("A commit is named, with whether files differ from it")
  func aCommitIsNamedWithItsModifications() throws {
    let hash = try commit()
    #expect(try revision() == ["\"\(hash)\"", "false"])
    try folder.write([1], to: "package/untracked")
    #expect(try revision() == ["\"\(hash)\"", "false"])
    try folder.write(Array("// another".utf8), to: "package/Package.swift")
    #expect(try revision() == ["\"\(hash)\"", "true"])
    // Variables that a hook of another repository has set are ignored.
    #expect(try revision(environment: ["GIT_DIR": "/nowhere"]) == ["\"\(hash)\"", "true"])
  }

  @Test("The commit of a shallow clone is recorded")
  func theCommitOfAShallowCloneIsRecorded() throws {
    _ = try commit()
    try git("commit", "-q", "--allow-empty", "-m", "Second")
    let hash = try git("rev-parse", "HEAD")
    try git("clone", "-q", "--depth", "1", "file://\(package)", folder.file("shallow"))
    try FileManager.default.removeItem(atPath: package)
    try FileManager.default.moveItem(atPath: folder.file("shallow"), toPath: package)
    #expect(try revision() == ["\"\(hash)\"", "false"])
  }

  @Test("Without a commit nothing is recorded")
  func withoutACommitNothingIsRecorded() throws {
    #expect(try revision() == ["nil", "nil"], "there is no repository")
    try git("init", "-q")
    #expect(try revision() == ["nil", "nil"], "nothing is committed")
    // An unpacked archive within another repository, which has a commit.
    try git("commit", "-q", "--allow-empty", "-m", "Other things")
    #expect(try revision() == ["nil", "nil"], "the package is not tracked")
    _ = try commit()
    try FileManager.default.createDirectory(atPath: folder.file("empty"), withIntermediateDirectories: true)
    #expect(try revision(environment: ["PATH": "/nowhere:\(try toolsWithoutGit())"]) == ["nil", "nil"])
  }

  /// A folder with the commands that the script needs, without git.
  func toolsWithoutGit() throws -> String {
    let tools = folder.file("tools")
    try FileManager.default.createDirectory(atPath: tools, withIntermediateDirectories: true)
    for name in ["cat", "mkdir"] {
      let path = try #require(
        ["/bin", "/usr/bin"].map { "\($0)/\(name)" }.first { FileManager.default.fileExists(atPath: $0) })
      try FileManager.default.createSymbolicLink(atPath: "\(tools)/\(name)", withDestinationPath: path)
    }
    return tools
  }

  /// Otherwise each build would recompile the file and relink.
  @Test("The file is written only when it changes")
  func theFileIsWrittenOnlyWhenItChanges() throws {
    _ = try commit()
    _ = try revision()
    let file = folder.file("written/SourceRevision.swift")
    let before = Date(timeIntervalSince1970: 1_000_000_000)
    try FileManager.default.setAttributes([.modificationDate: before], ofItemAtPath: file)
    _ = try revision()
    #expect(try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date == before)
    try folder.write([1], to: "package/Package.swift")
    _ = try revision()
    #expect(try FileManager.default.attributesOfItem(atPath: file)[.modificationDate] as? Date != before)
  }

  /// `onepass --version` and the records contain the same commit.
  @Test("The program writes its commit into each record")
  func theProgramRecordsItsCommit() throws {
    let version = try onepass.run(["--version"])
    let record = try onepass.run(
      ["train", "--data", "synthetic:32:8:2", "--method", "naive", "--json", "--output", "none"] + small
    ).json
    var expected = try #require(record["version"] as? String)
    if let commit = record["commit"] as? String {
      let isModified = try #require(record["dirty"] as? Bool)
      #expect(commit.wholeMatch(of: /[0-9a-f]{40}|[0-9a-f]{64}/) != nil)
      expected += " (\(commit.prefix(12))\(isModified ? ", modified" : ""))"
    } else {
      #expect(record["dirty"] == nil)
    }
    #expect(version.status == 0 && version.output == expected + "\n", "\(version.output)")
  }
}
