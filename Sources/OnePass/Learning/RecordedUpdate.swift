import OnePassTorch

/// The update on a full mini-batch, recorded as a CUDA graph and launched for each mini-batch.
final class RecordedUpdate {
  typealias Outcome = (losses: Tensor, logits: Tensor)

  /// Updates without a graph before one is recorded. The first updates choose kernels and allocate memory.
  private static let warmUps = 3

  let batchSize: Int
  private var made = 0
  /// The input tensors of the graph. Each mini-batch is copied into them.
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
  ///   - update: The same work each time, on the tensors that it receives. The graph retains it.
  /// - Returns: The outcome of the update. The next launch overwrites it.
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
