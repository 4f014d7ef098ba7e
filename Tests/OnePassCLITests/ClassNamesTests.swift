import Foundation
import OnePass
import OnePassCore
import Testing

@testable import OnePassCLI

@Suite("Class names for --classes") struct ClassNamesTests {
  private static let data = ["--data", "synthetic:100:8:2"]

  @Test("A repeated class name in a file is reported with its two line numbers")
  func repeatedNameInAFile() throws {
    let path = NSTemporaryDirectory() + "onepass-classes-\(UUID().uuidString).txt"
    defer { try? FileManager.default.removeItem(atPath: path) }
    // Blank lines count, and spaces around a name do not.
    try Data("dog\r\n\r\ncat\r\nfox\r\n  cat  \r\ndog\r\n".utf8).write(to: URL(fileURLWithPath: path))
    let error = #expect(throws: OnePassError.self) {
      try TrainCommand.read(Self.data + ["--classes", path])
    }
    #expect(error?.code == .badData)
    #expect(
      error?.message
        == "--classes \(path): class name cat is repeated (lines 3 and 5); remove one of the two lines.")
  }

  @Test("Class names can be the value of the option itself")
  func namesInTheValue() throws {
    let configuration = try TrainCommand.read(Self.data + ["--classes", "dog\n\ncat\n"])
    #expect(configuration.data.classNames == ["dog", "cat"])
    let error = #expect(throws: OnePassError.self) {
      try TrainCommand.read(Self.data + ["--classes", "dog\n\ncat\ndog"])
    }
    #expect(
      error?.message == "--classes: class name dog is repeated (lines 1 and 4); remove one of the two lines.")
  }
}
