import OnePassReplay
import OnePassTorch

/// A forward pass whose values are copied from the device asynchronously.
struct FetchedPass: ForwardPass {
  /// ℓ_i, `[N]`, in nats.
  private let fetchedLosses: FetchedValues
  /// The predicted classes, `[N]`, if they were requested.
  private let fetchedClasses: FetchedValues?
  /// The notes for the memory, `[N]`, if it stores any.
  private let fetchedNotes: (() throws -> [ItemNote])?

  /// - Parameters:
  ///   - losses: `[N]`.
  ///   - logits: `[N, classes]`.
  ///   - notes: Makes the notes; `nil` if the memory stores none for this mini-batch.
  init(losses: Tensor, logits: Tensor, of batch: WeightedBatch, notes: (any ReplayNotes)?) throws {
    fetchedLosses = try losses.fetched()
    fetchedClasses = batch.wantsClasses ? try logits.argmax().fetched() : nil
    fetchedNotes = try notes?.notes(of: logits)
  }

  func losses() throws -> [Float] { try fetchedLosses.floats() }

  func classes() throws -> [Int] { try fetchedClasses?.integers().map { Int($0) } ?? [] }

  func notes() throws -> [ItemNote] { try fetchedNotes?() ?? [] }
}
