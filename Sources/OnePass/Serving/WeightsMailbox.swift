import OnePassTorch
import Synchronization

/// Passes the newest weights of a run to one other thread. Neither side waits for the other.
///
/// What is not taken before the next weights arrive is dropped.
package final class WeightsMailbox: Sendable {
  /// A consistent set of weights: those after one update.
  package final class Weights {
    /// Their model, with the classes that it had.
    let card: ModelCard
    let state: StateDictionary
    /// The number of steps after which they were copied.
    package let step: Int
    package let time = ContinuousClock.now

    init(copying state: StateDictionary, of card: ModelCard, step: Int) throws {
      self.card = card
      self.state = StateDictionary(try state.entries.map { (name: $0.name, tensor: try $0.tensor.copied()) })
      self.step = step
    }
  }

  /// The address of the weights, which the slot owns; 0 for none.
  private let slot = Atomic<UInt>(0)

  package init() {}

  deinit { _ = take() }

  /// Puts the weights of a finished run.
  /// - Parameter folder: The folder of the run.
  /// - Throws: `OnePassError`: `io`, `badData`.
  package func put(finished folder: String) throws {
    try Engine.load()
    let files = try RunFiles(folder)
    let state = try StateDictionary(safetensors: files.path(of: Checkpoint.weightsName))
    put(try Weights(copying: state, of: files.modelCard(), step: files.position().step))
  }

  func put(_ weights: Weights) {
    let new = UInt(bitPattern: Unmanaged.passRetained(weights).toOpaque())
    _ = Self.weights(slot.exchange(new, ordering: .acquiringAndReleasing))
  }

  /// Takes the newest weights; `nil` if there are no newer ones.
  package func take() -> Weights? { Self.weights(slot.exchange(0, ordering: .acquiringAndReleasing)) }

  private static func weights(_ address: UInt) -> Weights? {
    UnsafeRawPointer(bitPattern: address).map { Unmanaged<Weights>.fromOpaque($0).takeRetainedValue() }
  }
}
