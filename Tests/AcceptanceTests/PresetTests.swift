import Foundation
import OnePass
import OnePassCore
import OnePassExperiments
import TestSupport
import TestTraits
import Testing

@testable import OnePassCLI

@Suite("Presets of train", .waitsForPrograms) struct PresetTests {
  let runs: RunFixture
  var folder: TemporaryFolder { runs.folder }

  init() throws { runs = try RunFixture(StripedImages(count: 120)) }

  @Test("The preset paper equals the defaults")
  func thePaperEqualsTheDefaults() throws {
    #expect(try TrainCommand.read(["--preset=paper", "--data=x"]) == RunConfiguration(data: "x"))
    #expect(RunConfiguration.defaults == RunConfiguration(data: ""))
  }

  /// Each option of a preset has an effect, and can be overridden before the preset or after it.
  @Test("Explicit options override a preset")
  func explicitOptionsOverrideAPreset() throws {
    let best = try TrainCommand.read(["--preset=best", "--data=x"])
    try best.validate()
    #expect(!RunPreset.best.arguments.isEmpty)
    for option in RunPreset.best.arguments {
      #expect(try TrainCommand.read(["--data=x", option]) != RunConfiguration(data: "x"), "\(option)")
    }
    let other = ["--weight-decay=0.25", "--optimiser=sgd", "--no-blur-pool"]
    for arguments in [["--preset=best"] + other, other + ["--preset=best"]] {
      let read = try TrainCommand.read(["--data=x"] + arguments)
      #expect(read.recipe.weightDecay == 0.25 && read.recipe.optimiser == .sgd && !read.recipe.blurPool)
      #expect(read.replay.steps == best.replay.steps && read.augmentation == best.augmentation)
    }
    // The paper's storage and compute.
    #expect(best.memory.storage == .fraction(0.1) && best.replay.steps == 8 && best.method == .replay)
  }

  /// A file overrides a preset, and the command line overrides both. The recorded configuration needs no preset.
  @Test("A run with a preset records all its options")
  func aRunWithAPresetRecordsAllItsOptions() throws {
    try folder.write(
      Array("preset: best\nmodel: resnet8\nweight-decay: 0.25\nseed: 3\n".utf8), to: "mine.yaml")
    let outcome = try onepass.run([
      "train", "--config", folder.file("mine.yaml"), "--data", "idx:\(folder.path)", "--batch-size", "16",
      "--replay-steps", "1", "--seed", "4", "--threads", "1", "--quiet", "--output", folder.file("run"),
    ])
    #expect(outcome.status == 0, "\(outcome.errors)")
    let file = try ConfigurationFile(path: folder.file("run/run.yaml"), read: TrainCommand.read)
    let made = try TrainCommand.read(file.arguments)
    var expected = try TrainCommand.read([
      "--preset=best", "--data=idx:\(folder.path)", "--model=resnet8", "--weight-decay=0.25", "--seed=4",
      "--batch-size=16", "--replay-steps=1", "--threads=1",
    ])
    // Determined by the data or the machine.
    (expected.model.stem, expected.model.imageSize, expected.model.channels) = (
      made.model.stem, made.model.imageSize, made.model.channels
    )
    (expected.data.classCount, expected.data.classNames) = (made.data.classCount, made.data.classNames)
    expected.data.orientation = made.data.orientation
    (expected.machine.device, expected.machine.decodeThreads) = (
      made.machine.device, made.machine.decodeThreads
    )
    #expect(made == expected, "\(made.differences(from: expected))")
    #expect(!file.arguments.contains { $0.hasPrefix("--preset") })
  }

  @Test("An unknown preset is refused")
  func anUnknownPresetIsRefused() throws {
    let outcome = try onepass.run(["train", "--data", runs.data, "--preset", "bset"])
    #expect(outcome.status == 64 && outcome.errors.contains("'paper' and 'best'"), "\(outcome.errors)")
  }
}
