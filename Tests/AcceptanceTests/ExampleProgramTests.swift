import Foundation
import TestSupport
import TestTraits
import Testing

/// The programs in `Examples/`, run with the command in their first lines.
@Suite("The example programs run and print their documented output", .waitsForPrograms)
struct ExampleProgramTests {
  /// The standard output of a program, which must succeed without standard error.
  func output(of program: String, _ arguments: [String] = []) throws -> String {
    let outcome = try Program.built(program).run(arguments)
    #expect(outcome.status == 0, "\(program): \(outcome.errors)")
    #expect(outcome.errors == "", "\(program)")
    return outcome.output
  }

  /// 32 incoming mini-batches of 32, each but the first with two replayed ones, from a memory of a tenth of 1,024 examples.
  @Test("OwnPriority trains with a custom priority function")
  func ownPriority() throws {
    #expect(
      try output(of: "OwnPriority") == """
        method    replay by LossPower(exponent: 0.5), k = 2, 10% storage
        accuracy  100 %
        storage   102 of 1024 examples
        compute   3008 examples in 94 updates

        """)
  }

  /// The code blocks of the page, joined, are the program without its first two lines.
  @Test("The code of Getting Started is the first example")
  func gettingStartedIsTheFirstExample() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    func text(_ path: String) throws -> String {
      try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
    }
    let page = try text("docs/getting-started.md")
    let blocks = page.components(separatedBy: "```swift\n").dropFirst().map {
      $0.components(separatedBy: "```")[0]
    }
    let program = try text("Examples/OwnPriority/main.swift")
    let code = program.drop { $0 != "\n" }.dropFirst().drop { $0 != "\n" }.dropFirst()
    #expect(blocks.joined(separator: "\n") == code)
    #expect(program.split(separator: "\n", omittingEmptySubsequences: false).count <= 40)
    #expect(page.contains(try "```text\n\(output(of: "OwnPriority"))```"))
  }

  /// Mini-batches have 32 examples, and a tenth of 640 is stored; each mini-batch but the first has one replayed one. The
  /// stop is requested when step 10 is reported, so the run stops after step 11.
  @Test("WatchedRun stops, resumes and evaluates a run")
  func watchedRun() throws {
    let folder = try TemporaryFolder()
    let said = try output(of: "WatchedRun", [folder.file("run")])
      .replacing(/loss \d+\.\d{3}/, with: "loss #")
    #expect(
      said == """
        The run will make only 39 updates; --batch-size 16 makes 79, which helps most for its compute.
        step 5: 160 examples seen, 64 kept, loss #
        step 10: 320 examples seen, 64 kept, loss #
        stopped after step 11 of 20
        Resuming after step 11 of 20.
        step 15: 480 examples seen, 64 kept, loss #
        step 20: 640 examples seen, 64 kept, loss #
        trained on 1248 examples
        recall of class 0: 1.0
        recall of class 1: 1.0
        recall of class 2: 1.0
        predicted class of a bright image: 2

        """)
    #expect(folder.exists("run/result.json") && !folder.exists("run/unfinished"))
    // Without an argument it creates a temporary folder.
    #expect(try output(of: "WatchedRun").contains("trained on 1248 examples"))
  }

  /// 200 items of one byte each, with 47 bytes of the default index and 8 bytes of the custom selector.
  @Test("MemoryAlone uses the replay memory without a model")
  func memoryAlone() throws {
    #expect(
      try output(of: "MemoryAlone") == """
        offered   10000 readings, 20 % of them of the rare class
        kept      200 readings, 50 % of them of the rare class
        peak      200 readings, 11200 bytes with the index
        drawn     9992 times
        learned   a positive slope

        """)
  }
}
