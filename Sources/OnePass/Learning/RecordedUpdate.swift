import OnePassTorch

/// The update on a full mini-batch, recorded on the device and launched for each one.
final class RecordedUpdate {
  typealias Outcome = (losses: Tensor, logits: Tensor)

  /// Updates that are made as they stand before one is recorded: kernels are chosen and memory is taken in the first.
  private static let warmUps = 3

  let batchSize: Int
  private var made = 0
  /// What the recorded work reads; each mini-batch is copied to where the first ones lay.
  private var inputs: [Tensor] = []
  private var graph: DeviceGraph?
  private let outcome = Box()

  private final class Box {
    var value: Outcome?
  }

  init(batchSize: Int) { self.batchSize = batchSize }

  /// Makes an update.
  /// - Parameters:
  ///   - inputs: Tensors of the same shapes each time.
  ///   - update: The same work each time, on the tensors that it is given. It is kept.
  /// - Returns: What the update made; the next launch writes over it.
  func launch(_ inputs: [Tensor], _ update: @escaping ([Tensor]) throws -> Outcome) throws -> Outcome {
    made += 1
    guard made > Self.warmUps else { return try update(inputs) }
    let graph = try graph ?? record(inputs, update)
    for (held, new) in zip(self.inputs, inputs) { try held.copy(from: new) }
    try graph.launch()
    guard let outcome = outcome.value else { preconditionFailure("A recorded update has an outcome.") }
    return outcome
  }

  private func record(
    _ inputs: [Tensor], _ update: @escaping ([Tensor]) throws -> Outcome
  ) throws -> DeviceGraph {
    let (held, outcome) = (try inputs.map { try $0.copied() }, outcome)
    guard let device = held.first?.device else { preconditionFailure("An update has inputs.") }
    let made = try DeviceGraph(on: device) { outcome.value = try update(held) }
    self.inputs = held
    graph = made
    return made
  }
}
