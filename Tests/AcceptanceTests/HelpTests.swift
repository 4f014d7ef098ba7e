import Foundation
import TestSupport
import TestTraits
import Testing

@Suite("Help, completions and version", .waitsForPrograms) struct HelpTests {
  @Test("The help lists every subcommand")
  func helpNamesEverySubcommand() throws {
    let outcome = try onepass.run(["--help"])
    #expect(outcome.status == 0 && outcome.errors.isEmpty)
    for name in ["train", "evaluate", "predict", "compare", "experiment", "pack", "memory"] {
      #expect(outcome.output.contains("\n  \(name) "), "\(outcome.output)")
    }
  }

  @Test(
    "Every subcommand has a help text",
    arguments: [
      ["train"], ["evaluate"], ["predict"], ["compare"], ["pack"], ["memory", "inspect"],
      ["experiment"], ["experiment", "run"], ["experiment", "table"], ["experiment", "report"],
    ])
  func everySubcommandHasHelp(command: [String]) throws {
    let outcome = try onepass.run(command + ["--help"])
    #expect(outcome.status == 0 && outcome.output.hasPrefix("OVERVIEW: "))
  }

  /// Scripts rely on these names.
  @Test("The options of train keep their names")
  func trainKeepsItsOptions() throws {
    let help = try onepass.run(["train", "--help-hidden"]).output
    for option in [
      "--data", "--eval-data", "--model", "--method", "--storage", "--replay-steps", "--priority", "--epochs",
      "--limit", "--seed", "--batch-size", "--learning-rate", "--device", "--threads", "--output", "--json",
    ] {
      // At the start of a line of the list, alone, before its opposite or an alias, or after a short name.
      let found =
        ["\n", " ", "/", ","].contains { help.contains("\n  \(option)\($0)") }
        || help.contains("\n  -k, \(option) ")
      #expect(found, "\(option)")
    }
  }

  /// The help of new users fits on two screens.
  @Test("The help of train shows the common options only")
  func helpShowsTheCommonOptions() throws {
    let help = try onepass.run(["train", "--help"]).output
    let options = help.split(separator: "\n").filter { $0.hasPrefix("  --") || $0.hasPrefix("  -q") }
    #expect((12...25).contains(options.count), "\(help)")
    for option in ["--data", "--model", "--method", "--storage", "--output", "--config"] {
      #expect(help.contains("\n  \(option) "), "\(option)")
    }
    #expect(help.contains("\n  --learning-rate, --lr ") && help.contains("\n  -k, --replay-steps "))
    #expect(!help.contains("\n  --recency-bias ") && help.contains("--help-hidden all of them"))
  }

  /// Aliases are listed with their option, defaults are stated, and removed options are not listed.
  @Test("The help states aliases and defaults, and no removed option")
  func helpStatesAliasesAndDefaults() throws {
    let help = try onepass.run(["train", "--help-hidden"]).output
    for text in [
      "--weight-decay, --wd ", "--decode-threads, --workers ", "--amp/--no-amp ", "(default: 0.1)",
      "(default: runs/DATE-NAME)",
    ] { #expect(help.contains(text), "\(text)") }
    for text in ["progressive-resolution", "reestimate-batch-norm"] { #expect(!help.contains(text)) }
    let removed = try onepass.run(["train", "--data", "fashion-mnist", "--progressive-resolution", "0.5"])
    #expect(
      removed.status == 64
        && removed.errors.contains("--progressive-resolution must be 1"))
  }

  @Test("There are completions for bash, zsh and fish", arguments: ["bash", "zsh", "fish"])
  func completionsAreThere(shell: String) throws {
    let outcome = try onepass.run(["--generate-completion-script", shell])
    #expect(outcome.status == 0 && outcome.output.contains("replay-steps"))
    // Options that only --help-hidden lists are completed as well.
    #expect(outcome.output.contains("recency-bias"))
  }

  /// The start of a command line, and what a shell offers.
  static let completions = [
    ("train --method ", ["naive", "replay", "multi-epoch"]),
    ("train --model resnet3", ["resnet32", "resnet34"]),
    ("train --config files/", ["files/a.yaml", "files/sub"]), ("train --output files/", ["files/sub"]),
    ("train --data fo", ["folder:"]), ("memory v", ["verify"]),
    ("experiment run --preset opin-t", ["opin-table1", "opin-table2"]),
    ("train --priority-t", ["--priority-timing"]),
  ]

  static let (bash, fish) = ("/bin/bash", "/usr/bin/fish")

  static func isInstalled(_ shell: String) -> Bool { FileManager.default.isExecutableFile(atPath: shell) }

  @Test(
    "bash completes options, values and paths",
    .enabled(if: Self.isInstalled(Self.bash), "bash is not installed in /bin"), arguments: completions)
  func bashCompletes(line: String, offers: [String]) throws {
    let words = "onepass \(line)".split(separator: " ", omittingEmptySubsequences: false)
    let quoted = words.map { "'\($0)'" }.joined(separator: " ")
    try expectCompletions(
      of: Self.bash,
      "COMP_WORDS=(\(quoted)); COMP_CWORD=\(words.count - 1); COMP_LINE='onepass \(line)'; "
        + "COMP_POINT=${#COMP_LINE}; _onepass onepass '\(words.last ?? "")' '\(words[words.count - 2])'; "
        + "printf '%s\\n' \"${COMPREPLY[@]}\"", offers)
  }

  @Test(
    "fish completes options, values and paths",
    .enabled(if: Self.isInstalled(Self.fish), "fish is not installed in /usr/bin"), arguments: completions)
  func fishCompletes(line: String, offers: [String]) throws {
    try expectCompletions(of: Self.fish, "complete -C 'onepass \(line)' | string split -f1 \\t", offers)
  }

  /// Asks the shell itself.
  func expectCompletions(of shell: String, _ ask: String, _ offers: [String]) throws {
    let folder = try TemporaryFolder()
    for name in ["a.yaml", "b.txt", "sub/c.txt"] { try folder.write([], to: "files/\(name)") }
    let kind = String(shell.split(separator: "/").last ?? "")
    let script = try onepass.run(["--generate-completion-script", kind]).output
    let text = "cd '\(folder.path)'\n\(script)\n\(ask)\n"
    try folder.write(Array(text.utf8), to: "ask")
    let outcome = try Program(path: shell).run([folder.file("ask")])
    let answers = outcome.output.split(separator: "\n").map {
      // fish offers the folder that is being completed, too, and ends folders in a slash.
      $0.hasSuffix("/") ? String($0.dropLast()) : String($0)
    }
    #expect(Set(answers).subtracting(["files"]) == Set(offers), "\(answers) \(outcome.errors)")
  }

  /// zsh parses the text after a colon as a description.
  @Test("Colons are escaped for zsh")
  func colonsAreEscapedForZsh() throws {
    let script = try onepass.run(["--generate-completion-script", "zsh"]).output
    #expect(script.contains("'folder\\:'") && !script.contains("'folder:'"))
  }

  @Test("The version is printed")
  func versionIsPrinted() throws {
    let outcome = try onepass.run(["--version"])
    #expect(outcome.status == 0 && outcome.output.prefixMatch(of: /\d+\.\d+\.\d+/) != nil)
  }
}
