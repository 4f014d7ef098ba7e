import OnePassCore
import OnePassData
import OnePassReplay

// In which form the memory takes in what arrives.
extension Trainer {
  /// This rank's part of the incoming mini-batch as the memory would keep it, as far as it may; nothing for one rank, whose
  /// memory asks for the form of what it takes in.
  func storedForms(of incoming: ImageBatch, among whole: [Arrival]) throws -> [Example] {
    guard ranks.count > 1, let memory else { return [] }
    let wanted = Set(zip(whole, memory.mayTakeIn(whole.count)).filter(\.1).map(\.0.id))
    return try incoming.examples.map { example in
      Example(
        id: example.id, label: example.label,
        image: wanted.contains(example.id) ? try storedForm(example.image) : EncodedImage(elsewhere: 0),
        subject: example.subject)
    }
  }

  func smallStorage(_ memory: ReplayMemory, _ incoming: ImageBatch) throws -> OnePassError {
    guard ranks.count == 1 else {
      return OnePassError(
        .usage,
        "A storage of \(configuration.memory.storage) is smaller than one image: give more, or use --method naive."
      )
    }
    let smallest =
      try incoming.examples.map { memory.cost(of: try storedForm($0.image), label: $0.label) }.min() ?? 0
    let files = memory.fixedBytes > 0 ? ", and the files \(memory.fixedBytes) without any" : ""
    return OnePassError(
      .usage,
      "A storage of \(configuration.memory.storage) is smaller than one image: the smallest of the first "
        + "\(incoming.count) takes \(smallest) bytes with its index\(files). Give more, or use --method naive."
    )
  }
}
