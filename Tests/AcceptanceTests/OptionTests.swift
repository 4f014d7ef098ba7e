import Foundation
import OnePass
import OnePassCore
import OnePassData
import OnePassExperiments
import OnePassModels
import OnePassReplay
import Testing

@testable import OnePassCLI

/// Every declared option reaches its field from the command line, from a file and from a record.
@Suite("Every declared option reaches its field") struct OptionTests {
  static let declared = RunConfiguration.defaults.declaredOptions.filter { !removed.contains($0.key) }

  /// Removed options: they accept one value, which files of earlier versions contain.
  static let removed: Set = ["progressiveResolution", "reestimateBatchNorm"]

  /// The options that one argument sets, which the command parses itself.
  static let ofClasses: Set = ["classCount", "classNames", "openClasses"]

  /// A valid value other than the default.
  static func otherValue(of option: any AnyRunOption) throws -> Any {
    let awkward = "a \"b\" # c: 'd' \\ é \u{7F}"
    let candidates: [Any] =
      switch option.type {
      case is Bool.Type: [true, false]
      case is Int.Type, is Int?.Type: [24, 7, 3]
      case is UInt64.Type, is UInt64?.Type: [UInt64(7)]
      case is Double.Type, is Double?.Type: [0.3, 0.4]
      case is String.Type, is String?.Type: [awkward, "resnet8"]
      case is [String]?.Type: [["x: y", "- z", "#1", "\"", "é\u{1F600}"]]
      case is StorageBudget.Type: [StorageBudget.fraction(0.025)]
      case is StreamShape?.Type: [StreamShape.bursts(mean: 50)]
      case is DriftMethod?.Type: [try DriftMethod("page-hinkley:20:both")]
      case is OpenClasses?.Type: [try OpenClasses("open:7")]
      case is ShuffleBufferSize?.Type: [ShuffleBufferSize.bytes(ByteCount(500_000_000))]
      case is DecodeBudget?.Type: [DecodeBudget(bytes: 500_000_000)]
      case is MessageLimit?.Type: [try MessageLimit("5MB")]
      case is StreamEnd?.Type: [try StreamEnd("2030-01-01T12:30Z")]
      case is SubjectKey?.Type: [SubjectKey.field("who")]
      case is LabelKey?.Type: [LabelKey.field("who")]
      case is TimeToLive?.Type: [TimeToLive.seconds(90)]
      case is AugmentationChoice.Type: [AugmentationChoice(policy: .rand, cutsOut: true)]
      case is SelectorKind.Type: [SelectorKind.mixture(.fewestReplays, .oldest, share: 0.25)]
      case is Stem?.Type: [Stem.imageNet]
      case is OrientationChoice?.Type: [OrientationChoice.apply]
      case let kind as any CaseIterable.Type: cases(kind)
      default: []
      }
    return try #require(
      candidates.first { value in
        let changed = RunConfiguration(values: [option.key: value])
        return changed != .defaults && (try? changed.validateValues()) != nil
      }, "there is no other value for \(option.name): add one for \(option.type)")
  }

  private static func cases<Kind: CaseIterable>(_ kind: Kind.Type) -> [Any] { kind.allCases.reversed() }

  /// No option has its default, so that a forgotten one is noticed.
  static func everythingChanged() throws -> RunConfiguration {
    let values = try Dictionary(uniqueKeysWithValues: declared.map { ($0.key, try otherValue(of: $0)) })
    let changed = RunConfiguration(values: values)
    for option in changed.declaredOptions where !removed.contains(option.key) {
      #expect(!option.isStandard, "\(option.name)")
    }
    return changed
  }

  @Test("Every option is the same after writing and reading a record")
  func everyOptionSurvivesItsRecord() throws {
    let written = try Self.everythingChanged()
    let data = try JSONEncoder().encode(written)
    #expect(try JSONDecoder().decode(RunConfiguration.self, from: data) == written)
    #expect(Set(jsonObject(data).keys) == Self.removed.union(Self.declared.map(\.key)))
  }

  @Test("Every option is the same after writing and reading a configuration file")
  func everyOptionSurvivesItsFile() throws {
    var written = try Self.everythingChanged()
    let open = written.data.openClasses
    for (count, names, open) in [(nil, written.data.classNames, nil), (3, nil, nil), (nil, nil, open)] {
      (written.data.classCount, written.data.classNames, written.data.openClasses) = (count, names, open)
      let file = try ConfigurationFile(text: written.fileText, source: "run.yaml", read: TrainCommand.read)
      #expect(try TrainCommand.read(file.arguments) == written)
    }
  }

  /// The name on the command line is that of the declaration, and sets only that option.
  @Test("Each name on the command line sets exactly one option")
  func everyNameSetsItsOption() throws {
    for option in Self.declared where !Self.ofClasses.contains(option.key) && option.key != "data" {
      let expected = RunConfiguration(values: ["data": "x", option.key: try Self.otherValue(of: option)])
      let lines = expected.fileText.split(separator: "\n").map(String.init)
      let plain = RunConfiguration(data: "x").fileText.split(separator: "\n").map(String.init)
      let changed = lines.filter { !plain.contains($0) }
      // Options that only have an effect with this one are written too.
      let line = try #require(changed.first { $0.hasPrefix("\(option.name): ") }, "\(changed)")
      let file = try ConfigurationFile(text: "data: x\n\(line)", source: "run.yaml", read: TrainCommand.read)
      #expect(try TrainCommand.read(file.arguments) == expected, "\(option.name)")
    }
  }
}
