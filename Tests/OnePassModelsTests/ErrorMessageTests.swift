import OnePassCore
import Testing

@testable import OnePassModels

@Suite("Error messages of OnePassModels") struct ErrorMessageTests {
  static let messages: [(error: OnePassError, text: String)] = [
    (
      .unknownModel("resnet7", known: ["resnet8", "resnet20"]),
      "--model must be one of resnet8, resnet20 (got resnet7)."
    ),
    (.classCountOutOfRange(0), "--classes must be at least 1 (got 0)."),
    (.channelCountOutOfRange(2), "--channels must be 1 (grey) or 3 (colour) (got 2)."),
  ]

  @Test(
    "An impossible model is reported with the option, the value and the valid values", arguments: messages)
  func impossibleModel(error: OnePassError, text: String) {
    #expect(error.message == text)
    #expect(error.code == .usage)
  }
}
