import Foundation
import OnePassCore
import OnePassData
import TestSupport
import Testing

@testable import OnePass

@Suite("Runs on shaped streams") struct ShapedStreamTests {
  let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  static let images = StripedImages(count: 320)

  private func train(
    _ run: String, _ shape: String?, method: Method = .replay, source: (any ExampleSource)? = nil,
    stopping: Int? = nil
  ) throws -> (result: RunResult?, notices: [String]) {
    var configuration = RunConfiguration(data: "stripes")
    (configuration.model.name, configuration.recipe.batchSize) = ("resnet8", 16)
    (configuration.machine.threads, configuration.machine.decodeThreads) = (1, 1)
    configuration.method = method
    if method == .multiEpoch {
      configuration.epochs = 2
    } else {
      (configuration.replay.steps, configuration.memory.storage) = (1, .examples(24))
    }
    configuration.data.shape = try shape.map { try StreamShape($0) }
    let source =
      source ?? IndexedSource("stripes", count: 320, classCount: 4) { Self.images.labelled($0) }
    let stop = StopRequest()
    var notices: [String] = []
    do {
      let result = try TrainingRun(configuration, source: source).start(
        output: folder.file(run), resuming: true, stop: stop
      ) { event in
        switch event {
        case .notice(let text): notices.append(text)
        case .step(let report) where report.step == stopping: stop.stop()
        default: break
        }
      }
      return (result, notices)
    } catch is RunStopped { return (nil, notices) }
  }

  @Test(
    "A run that is stopped and resumed has the same stream", arguments: ["by-class:2", "label-noise:0.3"])
  func resumption(shape: String) throws {
    let (whole, notices) = try train("whole", shape)
    for step in [3, 11] { #expect(try train("stopped", shape, stopping: step).result == nil) }
    let stopped = try train("stopped", shape).result
    #expect(whole?.plan == stopped?.plan && whole?.configuration.data.shape?.description == shape)
    for name in ["checkpoint/model.safetensors", "checkpoint/memory.csv", "ledger"] {
      #expect(try folder.bytes(of: "whole/\(name)") == folder.bytes(of: "stopped/\(name)"), "\(name)")
    }
    let groups = notices.filter { $0.hasPrefix("The groups of --stream by-class:2: ") }
    #expect(groups.count == (shape == "by-class:2" ? 1 : 0))
    // Another shape is another stream.
    #expect(try train("plain", nil).result?.plan == whole?.plan)
    #expect(try folder.bytes(of: "plain/ledger") != folder.bytes(of: "whole/ledger"))
  }

  @Test("A long tail is a shorter stream, also for several passes")
  func longTail() throws {
    let sizes = (0..<4).map { label in (0..<320).count { Self.images.label($0) == label } }
    let shares: [Double] = (0..<4).map { pow(16, -Double($0) / 3) }
    let kept = zip(sizes, shares).reduce(0) { sum, pair in sum + Int(Double(pair.0) * pair.1) }
    for method in [Method.replay, .multiEpoch] {
      #expect(try train(method.rawValue, "long-tailed:16", method: method).result?.stream.examples == kept)
    }
  }

  @Test("Streams in their own order, and methods that shuffle, refuse a shape")
  func refusals() throws {
    let ordered = SequenceSource("ordered", (0..<32).lazy.map { Self.images.labelled($0) }, classCount: 4)
    let error = #expect(throws: OnePassError.self) { try train("a", "bursts:5", source: ordered) }
    #expect(error?.code == .usage && error?.message.contains("ordered is read in its own") == true)
    let several = #expect(throws: OnePassError.self) { try train("b", "bursts:5", method: .multiEpoch) }
    #expect(several?.message.contains("--stream has no effect with --method multi-epoch") == true)
  }
}
