import OnePassCore
import OnePassReplay
import OnePassTorch

/// A kind of per-item notes in the replay memory, and their effect on the targets of replays.
///
/// A learner writes a note after the forward pass of an image, and reads it when the image is replayed. The loop, the exchange
/// between ranks, the memory and its checkpoints handle notes as ``/OnePassReplay/ItemNote``: opaque bytes of a fixed size.
protocol ReplayNotes {
  init(_ configuration: RunConfiguration, classes: Int)

  /// Starts to compute the notes of a forward pass.
  /// - Parameter logits: `[N, classes]`.
  /// - Returns: A closure that waits for the notes, `[N]`, which may still be in transfer from the device.
  func notes(of logits: Tensor) throws -> () throws -> [ItemNote]

  /// Changes the targets of replayed images by their notes.
  /// - Parameters:
  ///   - targets: `[N, classes]`, row-major.
  ///   - notes: `[N]`.
  /// - Throws: `OnePassError` (`badData`) if a note is damaged.
  func change(_ targets: inout [Float], by notes: [ItemNote]) throws

  // MARK: The kind of notes

  /// The size of a note, in bytes.
  static var bytesPerItem: Int { get }

  /// Checks that the notes can represent the predictions of a run.
  /// - Parameter source: The source specification, for the error message.
  /// - Throws: `OnePassError` (`usage`).
  static func check(_ plan: TrainingPlan, of source: String) throws

  // MARK: In memory.csv

  /// The name of the column.
  static var column: String { get }
  /// The text of a note, without commas.
  static func text(of note: ItemNote) -> String
  /// - Returns: `nil` if the text does not represent a note.
  static func note(fromText text: Substring) -> ItemNote?
}

extension ItemNote {
  /// The kind of notes in runs and their files. There is only one.
  static var kind: any ReplayNotes.Type { StoredPredictions.self }
}

extension RunConfiguration {
  /// The kind of notes that the learner stores; `nil` for none.
  var noteKind: (any ReplayNotes.Type)? { memory.storedPredictions > 0 ? ItemNote.kind : nil }

  /// The size of the note of each item, in bytes.
  var noteBytes: Int { noteKind?.bytesPerItem ?? 0 }
}
