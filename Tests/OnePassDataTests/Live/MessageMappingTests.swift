import Foundation
import OnePassBrokers
import OnePassCore
import Testing

@testable import OnePassData

@Suite("Examples in messages") struct MessageMappingTests {
  private func mapping(
    _ form: MessageForm, key: LabelKey? = nil, subject: SubjectKey? = nil, names: [String]? = nil
  ) throws -> MessageMapping {
    try MessageMapping(
      form,
      SourceRequest(
        "kafka://h/t", seed: 1, classNames: names, subjectKey: subject, classCount: names == nil ? 10 : nil,
        labelKey: key, live: LiveOptions()))
  }

  private func message(_ body: [UInt8], _ headers: [(String, String)] = [], key: String? = nil)
    -> BrokerMessage
  {
    var message = BrokerMessage(offset: BrokerOffset(0), body: body)
    message.headers = headers.map { BrokerHeader($0.0, $0.1.utf8) }
    message.key = key.map { Array($0.utf8) }
    return message
  }

  private func one(_ mapping: MessageMapping, _ message: BrokerMessage) throws -> LabelledImage {
    let examples = try mapping.examples(in: message)
    #expect(examples.count == 1)
    return examples[0]
  }

  @Test("The body is the image, and a header or the key the label")
  func image() throws {
    let body: [UInt8] = [0xFF, 0xD8, 1, 2]
    let plain = try one(mapping(.image), message(body, [("label", "7"), ("label", "8")]))
    #expect((plain.image.bytes, plain.label) == (body, 7))
    #expect(try one(mapping(.image, key: .header("class")), message(body, [("class", "3")])).label == 3)
    #expect(try one(mapping(.image, key: .messageKey), message(body, key: "5")).label == 5)
    #expect(try one(mapping(.image, names: ["cat", "dog"]), message(body, [("label", "dog")])).label == 1)
    let subject = try one(
      mapping(.image, subject: .field("patient")), message(body, [("label", "1"), ("patient", "p-7")]))
    #expect(subject.subject == "p-7")
  }

  @Test("A JSON object has the image in base64")
  func json() throws {
    let text = #"{"image": "/9gBAg==", "label": 4, "class": "2", "patient": 12}"#
    let plain = try one(mapping(.json, subject: .field("patient")), message(Array(text.utf8)))
    #expect(plain.image.bytes == [0xFF, 0xD8, 1, 2])
    #expect((plain.label, plain.subject) == (4, "12"))
    #expect(try one(mapping(.json, key: .field("class")), message(Array(text.utf8))).label == 2)
  }

  @Test(
    "A CloudEvent has its data in the body, or in a structured event",
    arguments: ["ce_", "ce-", "cloudEvents:"])
  func cloudEvents(prefix: String) throws {
    let binary = message(
      [1, 2], [("\(prefix)specversion", "1.0"), ("\(prefix)label", "6"), ("content-type", "image/jpeg")])
    #expect(try one(mapping(.cloudevents), binary).label == 6)
    #expect(try one(mapping(.cloudevents), binary).image.bytes == [1, 2])
    let structured = #"{"specversion": "1.0", "id": "1", "label": "3", "data_base64": "AQI="}"#
    let event = try one(
      mapping(.cloudevents),
      message(Array(structured.utf8), [("content-type", "application/cloudevents+json; charset=utf-8")]))
    #expect((event.image.bytes, event.label) == ([1, 2], 3))
  }

  @Test(
    "A message that holds no example has a reason",
    arguments: [
      (.image, [], [("label", "1")], "no image"), (.image, [1], [], "no label"),
      (.image, [1], [("label", "ten")], "a label that is not a class: ten"),
      (.image, [1], [("label", "10")], "a label outside of the classes: 10"),
      (.image, [1], [("label", "-1")], "a label outside of the classes: -1"),
      (.json, Array("[1]".utf8), [], "not a JSON object"), (.json, Array("{}".utf8), [], "no image"),
      (.json, Array(#"{"image": "?", "label": 1}"#.utf8), [], "an image that is not base64"),
      (.json, Array(#"{"image": "AQI="}"#.utf8), [], "no label"),
      (.json, Array(#"{"image": "AQI=", "label": true}"#.utf8), [], "no label"),
      (.cloudevents, [1], [("label", "1")], "not a CloudEvent"),
    ] as [(MessageForm, [UInt8], [(String, String)], String)])
  func rejected(form: MessageForm, body: [UInt8], headers: [(String, String)], reason: String) throws {
    let problem = #expect(throws: MessageProblem.self) {
      _ = try mapping(form).examples(in: message(body, headers))
    }
    #expect(problem?.text == reason)
  }

  @Test("A body that is not a whole tar file holds no example")
  func damagedTar() throws {
    let tar = try TarWriter.bytes(of: [("a.jpg", [1, 2]), ("a.cls", Array("1".utf8))])
    #expect(try one(mapping(.tar), message(tar)).label == 1)
    for body in [Array(tar.prefix(700)), [1, 2, 3], []] {
      let problem = #expect(throws: MessageProblem.self) { _ = try mapping(.tar).examples(in: message(body)) }
      #expect(problem?.kind == "not a whole WebDataset tar")
    }
  }

  @Test("A label key that messages do not have is refused")
  func labelKeys() throws {
    for (form, key) in [(MessageForm.image, LabelKey.field("x")), (.json, .messageKey), (.tar, .header("x"))]
    {
      let error = #expect(throws: OnePassError.self) { _ = try mapping(form, key: key) }
      #expect(error?.code == .usage)
    }
  }

  @Test(
    "Messages that are no tar files have no file names for subjects", arguments: [SubjectKey.folder, .stem])
  func subjectKeys(key: SubjectKey) throws {
    _ = try mapping(.tar, subject: key)
    let error = #expect(throws: OnePassError.self) { _ = try mapping(.image, subject: key) }
    #expect(
      error?.message
        == "--subject-key \(key): messages with --record image have no file names; use json:NAME, the name of a "
        + "header or field.")
  }

  @Test("Entries of a tar file that are no samples are reported")
  func reportsEntries() throws {
    let body = try TarWriter.bytes(
      of: [("a.jpg", [1]), ("a.cls", Array("1".utf8)), ("b.txt", [2])])
    var report = SourceReport()
    #expect(try mapping(.tar).examples(in: message(body), reporting: &report).count == 1)
    #expect(report.leftOutCount == 1)
  }
}

extension MessageMapping {
  fileprivate func examples(in message: BrokerMessage) throws -> [LabelledImage] {
    var report = SourceReport()
    return try examples(in: message, reporting: &report)
  }
}
