import OnePassCore
import Testing

@testable import OnePassData

@Suite("Subjects of examples") struct SubjectTests {
  @Test("Subject keys are parsed")
  func keysAreRead() throws {
    #expect(try SubjectKey("folder") == .folder && SubjectKey("stem") == .stem)
    #expect(
      try SubjectKey("json:person") == .field("person")
        && SubjectKey("json:person").description == "json:person")
    for text in ["", "json:", "json", "who"] { #expect(throws: OnePassError.self) { try SubjectKey(text) } }
    #expect(SubjectKey.folder.subject(inPath: "a/b/c.jpg") == "b")
    #expect(SubjectKey.folder.subject(inPath: "c.jpg") == nil)
    #expect(SubjectKey.stem.subject(inPath: "a/b/c.left.jpg") == "c")
  }

  func subjects(_ specification: String, _ key: SubjectKey?) throws -> [String?] {
    let source = try SourceRegistry.open(specification, seed: 1, subjectKey: key)
    var found: [(Int, String?)] = []
    while let example = try source.next() { found.append((example.label, example.subject)) }
    return found.sorted { ($0.0, $0.1 ?? "") < ($1.0, $1.1 ?? "") }.map(\.1)
  }

  @Test("Folders and lists name their subjects")
  func foldersAndListsNameTheirs() throws {
    let folder = try TemporaryFolder()
    for (path, _) in [("x/ann/1.png", 0), ("x/bob/2.png", 0), ("y/ann/3.png", 1), ("y/4.png", 1)] {
      try folder.write("photos/\(path)", [1])
    }
    #expect(try subjects("folder:\(folder.path)/photos", nil) == [nil, nil, nil, nil])
    #expect(try subjects("folder:\(folder.path)/photos", .folder) == ["ann", "bob", "ann", "y"])
    #expect(try subjects("folder:\(folder.path)/photos", .stem) == ["1", "2", "3", "4"])
    try folder.write("list", Array("photos/x/ann/1.png 0\nphotos/x/bob/2.png 1\n".utf8))
    #expect(try subjects("list:\(folder.path)/list", .folder) == ["ann", "bob"])
    #expect(throws: OnePassError.self) { try subjects("list:\(folder.path)/list", .field("a")) }
  }

  /// A field is read from the sample's `.json`, at any position among its entries.
  @Test("Shards name their subjects")
  func shardsNameTheirs() throws {
    let folder = try TemporaryFolder()
    func json(_ text: String) -> [UInt8] { Array(text.utf8) }
    try folder.write(
      "t.tar",
      tarBytes([
        ("ann/0.cls", json("0")), ("ann/0.jpg", [1]), ("ann/0.json", json(#"{"who": "ann", "age": 7}"#)),
        ("ann/1.json", json(#"{"who": "Ann B.", "age": 8}"#)), ("ann/1.jpg", [2]), ("ann/1.cls", json("1")),
        ("bob/2.jpg", [3]), ("bob/2.cls", json("2")),
        ("bob/3.jpg", [3]), ("bob/3.json", json(#"{"age": 9}"#)), ("bob/3.cls", json("3")),
      ]))
    let shard = "wds:\(folder.path)/t.tar"
    #expect(try subjects(shard, nil) == [nil, nil, nil, nil])
    #expect(try subjects(shard, .field("who")) == ["ann", "Ann B.", nil, nil])
    #expect(try subjects(shard, .field("age")) == ["7", "8", nil, "9"])
    #expect(try subjects(shard, .folder) == ["ann", "ann", "bob", "bob"])
    #expect(try subjects(shard, .stem) == ["0", "1", "2", "3"])
    try folder.write("b.tar", tarBytes([("0.cls", json("0")), ("0.jpg", [1]), ("0.json", json("[]"))]))
    #expect(throws: OnePassError.self) { try subjects("wds:\(folder.path)/b.tar", .field("who")) }
    #expect(try subjects("wds:\(folder.path)/b.tar", .stem) == ["0"])
  }
}
