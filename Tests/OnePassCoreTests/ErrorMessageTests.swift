import Testing

@testable import OnePassCore

@Suite("Error messages of OnePassCore") struct ErrorMessageTests {
  static let messages: [(error: OnePassError, text: String)] = [
    (
      .unknownStorage("many"),
      "--storage must be a share (10%), a number of examples (6000) or a size in bytes (500MB) (got many)."
    ),
    (
      .storageWithoutExamples(-5),
      "--storage must be at least 1 example (got -5); use --method naive to store nothing."
    ),
    (
      .storageShareOutOfRange(.fraction(1.01)),
      "--storage must be more than 0% and at most 100% of the stream (got 101%)."
    ),
    (
      .storageWithoutBytes(.bytes(ByteCount(0))),
      "--storage must be at least 1 byte (got 0B); use --method naive to store nothing."
    ),
    (
      .unknownSubjectKey("person"),
      "--subject-key must be folder, stem or json:FIELD, a field of a WebDataset sample's .json (got person)."
    ),
    (
      .unknownLabelKey("label"),
      "--label-key must be cls, folder or json:FIELD for WebDataset samples, header:NAME, key or json:FIELD for "
        + "messages (got label)."
    ),
  ]

  @Test("An invalid option is reported with its name, its value and the valid forms", arguments: messages)
  func invalidOption(error: OnePassError, text: String) {
    #expect(error.message == text)
    #expect(error.code == .usage)
  }

  @Test(
    "Every code has its exit status from sysexits.h",
    arguments: [
      (OnePassError.Code.usage, Int32(64)), (.badData, 65), (.unavailable, 69), (.engine, 70), (.io, 74),
      (.temporary, 75),
      (.init(rawValue: "own"), 70),
    ])
  func exitStatuses(code: OnePassError.Code, status: Int32) { #expect(code.exitStatus == status) }
}
