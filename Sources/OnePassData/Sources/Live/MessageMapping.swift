import Foundation
import OnePassBrokers
import OnePassCore

/// Finds the examples in a message, the same for every broker.
///
/// | form | image | label | subject |
/// |---|---|---|---|
/// | `image` | the body | the header `label`, or what the label key names | the header of the subject key |
/// | `json` | the field `image`, base64 | the field `label` | the field of the subject key |
/// | `cloudevents` | the data, or `data_base64` | the attribute `label` | the attribute of the subject key |
/// | `tar` | the samples of a WebDataset tar file | as in shards | as in shards |
struct MessageMapping {
  let form: MessageForm
  private let labels: ShardLabels
  private let labelKey: LabelKey?
  private let subjectKey: SubjectKey?
  private let classCount: Int?

  /// - Throws: `OnePassError` (`usage`) for a label key that messages of this form do not have.
  init(_ form: MessageForm, _ request: SourceRequest) throws {
    self.form = form
    labels =
      request.hasOpenClasses && request.classNames == nil ? .open() : ShardLabels(names: request.classNames)
    (labelKey, subjectKey) = (request.labelKey, request.subjectKey)
    classCount = request.classNames?.count ?? request.classCount
    let fits: Bool =
      switch (form, labelKey) {
      case (_, nil), (.image, .header?), (.image, .messageKey?), (.json, .field?), (.cloudevents, .header?):
        true
      case (.tar, .entry?), (.tar, .folder?), (.tar, .field?): true
      default: false
      }
    guard fits else { throw OnePassError.labelKeyOfMessages(labelKey?.description ?? "", form: form) }
    if let subjectKey, [.folder, .stem].contains(subjectKey), form != .tar {
      throw OnePassError.subjectKeyOfMessages(subjectKey, form: form)
    }
  }

  /// The examples of a message, at least one.
  /// - Parameter report: Receives the entries of a tar file that are no samples.
  /// - Throws: `MessageProblem` if there is none, or if one sample of a tar file is none.
  func examples(in message: BrokerMessage, reporting report: inout SourceReport) throws -> [LabelledImage] {
    switch form {
    case .image:
      let label =
        switch labelKey {
        case .messageKey?: message.key
        case .header(let name)?: message.header(name)
        default: message.header(Self.labelName)
        }
      return [try example(message.body, label: label.map(Self.text), subject: subject { message.header($0) })]
    case .json: return [try object(in: message.body)]
    case .cloudevents: return [try event(in: message)]
    case .tar: return try samples(in: message.body, reporting: &report)
    }
  }

  static let labelName = "label"
  static let imageName = "image"

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  private func subject(_ value: (String) -> [UInt8]?) -> String? {
    guard case .field(let name)? = subjectKey else { return nil }
    return value(name).map(Self.text)
  }

  private func example(_ image: [UInt8], label: String?, subject: String?) throws -> LabelledImage {
    guard !image.isEmpty else { throw MessageProblem("no image") }
    guard let label else { throw MessageProblem("no label") }
    guard let number = labels.label(of: Array(label.utf8), { "a message" }) else {
      throw MessageProblem("a label that is not a class", String(escaping: label.utf8.prefix(60)))
    }
    guard number >= 0, classCount.map({ number < $0 }) ?? true else {
      throw MessageProblem("a label outside of the classes", "\(number)")
    }
    return labelled(image, number, subject)
  }

  private func labelled(_ image: [UInt8], _ label: Int, _ subject: String?) -> LabelledImage {
    var labelled = LabelledImage(EncodedImage(bytes: image), label: label, subject: subject)
    labelled.className = labels.openName(of: label)
    return labelled
  }

  // MARK: JSON

  private func object(in body: [UInt8]) throws -> LabelledImage {
    guard let object = try? JSONSerialization.jsonObject(with: Data(body)) as? [String: Any] else {
      throw MessageProblem("not a JSON object")
    }
    var field = Self.labelName
    if case .field(let name)? = labelKey { field = name }
    return try example(
      Self.image(object[Self.imageName]), label: Self.text(object[field]),
      subject: subject { Self.text(object[$0]).map { Array($0.utf8) } })
  }

  /// The bytes of a text in base64.
  private static func image(_ value: Any?) throws -> [UInt8] {
    guard let text = value as? String else { return [] }
    guard let data = Data(base64Encoded: text) else { throw MessageProblem("an image that is not base64") }
    return Array(data)
  }

  /// A text or a number, as text.
  private static func text(_ value: Any?) -> String? {
    if let value = value as? String { return value }
    // Foundation's true and false are numbers of this type.
    guard let number = value as? NSNumber, !["c", "B"].contains(String(cString: number.objCType)) else {
      return nil
    }
    return number.stringValue
  }

  // MARK: CloudEvents

  /// The prefixes of an attribute's header: Kafka's, NATS' and HTTP's, AMQP's two.
  private static let prefixes = ["ce_", "ce-", "cloudEvents:", "cloudEvents_"]

  private func event(in message: BrokerMessage) throws -> LabelledImage {
    var name = Self.labelName
    if case .header(let given)? = labelKey { name = given }
    let type = (message.header("content-type") ?? message.header("Content-Type")).map(Self.text) ?? ""
    guard type.lowercased().hasPrefix("application/cloudevents") else {
      func attribute(_ name: String) -> [UInt8]? {
        Self.prefixes.lazy.compactMap { message.header($0 + name) }.first
      }
      guard attribute("specversion") != nil else { throw MessageProblem("not a CloudEvent") }
      return try example(
        message.body, label: attribute(name).map(Self.text), subject: subject { attribute($0) })
    }
    guard let object = try? JSONSerialization.jsonObject(with: Data(message.body)) as? [String: Any],
      object["specversion"] is String
    else { throw MessageProblem("not a CloudEvent") }
    let data = object["data"] as? [String: Any]
    return try example(
      Self.image(object["data_base64"] ?? data?[Self.imageName]),
      label: Self.text(object[name] ?? data?[name]),
      subject: subject { Self.text(object[$0] ?? data?[$0]).map { Array($0.utf8) } })
  }

  // MARK: Shards

  private func samples(in body: [UInt8], reporting report: inout SourceReport) throws -> [LabelledImage] {
    do {
      let fields = SampleFields(labels: labels, labelKey: labelKey ?? .entry, subjectKey: subjectKey)
      let reader = try ShardReader(BytesInput(body), called: "the message", fields: fields)
      var samples: [LabelledImage] = []
      while let sample = try reader.next() {
        guard classCount.map({ sample.label < $0 }) ?? true else {
          throw MessageProblem("a label outside of the classes", "\(sample.label)")
        }
        samples.append(labelled(sample.image, sample.label, sample.subject))
      }
      guard !samples.isEmpty else { throw MessageProblem("no image") }
      report.add(reader.report)
      return samples
    } catch let error as OnePassError { throw MessageProblem("not a whole WebDataset tar", error.message) }
  }
}

/// Bytes in memory.
private final class BytesInput: ByteInput {
  private let bytes: [UInt8]
  private var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  var isFile: Bool { false }
  var offset: Int? { nil }

  func read(into target: UnsafeMutableRawBufferPointer) -> Int {
    let count = min(target.count, bytes.count - position)
    bytes.withUnsafeBytes {
      target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[position..<position + count]))
    }
    position += count
    return count
  }

  func skip(_ count: Int) -> Bool? {
    guard count <= bytes.count - position else { return false }
    position += count
    return true
  }
}
