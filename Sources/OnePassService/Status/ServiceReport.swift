import Foundation

/// The state of a service at a moment, as `GET /v1/status` returns it.
package struct ServiceReport: Codable, Sendable {
  package struct Examples: Codable, Sendable {
    package var (accepted, trained, lag, refused) = (0, 0, 0, 0)
    package var perSecond = 0.0
  }

  package struct Accuracy: Codable, Sendable {
    /// Of all incoming examples, each before it was trained, 0 … 1.
    @OrNull package var online: Double?
    /// The same of the last examples.
    @OrNull package var window: Double?
    package var windowExamples = 0
    package var late = Inbox.LateLabels()
  }

  /// Mean losses of the last step, in nats.
  package struct Loss: Codable, Sendable {
    @OrNull package var incoming: Double?
    @OrNull package var replayed: Double?
  }

  package struct Training: Codable, Sendable {
    package var (steps, updates) = (0, 0)
    @OrNull package var learningRate: Double?
  }

  package struct Predictions: Codable, Sendable {
    package var (count, failed) = (0, 0)
    package var perSecond = 0.0
    @OrNull package var weightsStep: Int?
    @OrNull package var weightsAgeSeconds: Double?
    @OrNull package var p50Milliseconds: Double?
    @OrNull package var p99Milliseconds: Double?
  }

  package struct Waiting: Codable, Sendable {
    package var (images, bytes, limitBytes, expired) = (0, 0, 0, 0)
  }

  package struct ClassCount: Codable, Sendable {
    package let label: Int
    package let name: String
    package let items: Int
  }

  package struct AgeCount: Codable, Sendable {
    package let (from, to, items): (Int, Int, Int)
  }

  package struct Memory: Codable, Sendable {
    @OrNull package var capacity: Int?
    package var (items, bytes) = (0, 0)
    package var byClass: [ClassCount] = []
    package var byAge: [AgeCount] = []
  }

  /// Bytes on disk, and of the memory.
  package struct Storage: Codable, Sendable {
    package var (memory, inbox, waiting, ledger, checkpoints) = (0, 0, 0, 0, 0)
  }

  package struct Mistake: Codable, Sendable {
    package let id: String
    package let label: String
    package let predicted: String
    package let probability: Double
    /// The position of the example in the ledger.
    package let position: Int
    package let time: Date
  }

  package struct Event: Codable, Sendable {
    package enum Kind: String, Codable, Sendable {
      case started, resumed, checkpoint, notice, drift, paused, continued, finished, forgotten, error
      case newClass = "class"
    }

    package let time: Date
    package let kind: Kind
    package let text: String
  }

  package enum State: String, Codable, Sendable {
    /// Waits for the first examples, or restores the run.
    case starting
    case ready
    /// Predictions are served, and nothing is learned.
    case paused
    case finished
    case draining
  }

  package var name: String
  package var version: String
  package var state: State
  /// Why it is in this state; `nil` if it is ready.
  @OrNull package var reason: String?
  package var startedAt: Date
  package var uptimeSeconds: Double
  /// How often a service was started on this folder.
  package var starts: Int
  package var examples = Examples()
  package var accuracy = Accuracy()
  package var loss = Loss()
  package var training = Training()
  package var predictions = Predictions()
  package var waiting = Waiting()
  package var memory = Memory()
  package var storage = Storage()
  package var mistakes: [Mistake] = []
  package var events: [Event] = []
  package var classes: [String]
}

extension ServiceReport {
  /// Encodes a value as the service returns it: times as ISO 8601, and unknown numbers as `null`.
  package static func json(_ value: some Encodable) throws -> Data {
    let encoder = JSONEncoder()
    encoder.dateEncodingStrategy = .iso8601
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(value)
  }
}

/// A value that is encoded as `null` where it is unknown, instead of being left out.
@propertyWrapper package struct OrNull<Value: Codable & Sendable>: Codable, Sendable {
  package var wrappedValue: Value?

  package init(wrappedValue: Value? = nil) { self.wrappedValue = wrappedValue }

  package init(from decoder: any Decoder) throws {
    wrappedValue = try Optional(from: decoder)
  }

  package func encode(to encoder: any Encoder) throws { try wrappedValue.encode(to: encoder) }
}
