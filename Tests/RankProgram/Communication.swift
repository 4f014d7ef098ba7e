import Foundation
import OnePassCore
import OnePassTorch

func callEverything(_ group: ProcessGroup) throws -> [String: [Double]] {
  let (rank, size) = (group.rank, group.size)
  var values: [String: [Double]] = ["rank": [Double(rank)], "size": [Double(size)]]

  let floats = try Tensor([Float(rank), 1], shape: [2])
  let integers = try Tensor([Int64(1) << 40, Int64(rank)], shape: [2])
  let pending = try [group.beginSum(floats), group.beginSum(integers)]
  for work in pending { try work.wait() }
  values["floats"] = try floats.floats().map(Double.init)
  values["integers"] = try integers.integers().map(Double.init)
  values["doubles"] = try group.sum([Double(rank) + 1e-12])
  values["counts"] = try group.sum([rank, 1] as [Int]).map(Double.init)

  let tensors = try [Tensor([Float(rank)], shape: [1]), Tensor([Int64(rank)], shape: [1])]
  try group.broadcast(tensors, from: size - 1)
  values["broadcast"] = try tensors[0].floats().map(Double.init) + tensors[1].integers().map(Double.init)

  values["part"] = try group.reduceScatter(
    Tensor((0..<2 * size).map { Float($0 * (rank + 1)) }, shape: [2 * size])
  ).floats().map(Double.init)

  values["gathered"] = try group.gather(10 * rank).map(Double.init)
  // Rank r has r bytes, the first none.
  let bytes = try group.gather([UInt8](repeating: UInt8(rank), count: rank))
  values["lengths"] = bytes.map { Double($0.count) }
  values["bytes"] = bytes.joined().map(Double.init)
  values["nothing"] = try group.gather([UInt8]()).map { Double($0.count) }
  // Rank r sends r + s bytes of the value 10r + s to rank s.
  let parcels = try group.exchange(
    (0..<size).map { [UInt8](repeating: UInt8(10 * rank + $0), count: rank + $0) })
  values["parcels"] = parcels.flatMap { [Double($0.count), Double($0.first ?? 255)] }
  return values
}

func compareTexts(_ group: ProcessGroup, _ own: [String]) throws -> [String: [Double]] {
  try group.ensureAgreement(of: "the colour", own[group.rank])
  return [:]
}

func compareWeights(_ group: ProcessGroup) throws -> [String: [Double]] {
  func tensors(_ value: Float) throws -> StateDictionary {
    try StateDictionary([
      (name: "conv1.weight", tensor: Tensor([1, 2], shape: [2])),
      (name: "fc.bias", tensor: Tensor([value], shape: [1])),
    ])
  }
  try group.ensureAgreement(of: "the weights", tensors(1))
  // The smallest difference that float32 knows.
  try group.ensureAgreement(of: "the weights", tensors(group.rank == 1 ? Float(1).nextUp : 1))
  return [:]
}

func loseRank(_ group: ProcessGroup, how: String, of lost: Int) throws -> [String: [Double]] {
  for step in 0..<1000 {
    if step == 3, group.rank == lost {
      switch how {
      case "killed": kill(getpid(), SIGKILL)
      case "hanging": kill(getpid(), SIGSTOP)
      case "giving-up":
        group.abandon(because: "the disk is full")
        throw OnePassError(.io, "the disk is full")
      default: throw OnePassError(.usage, "\(how) is no way to be lost.")
      }
    }
    let tensor = try Tensor.full(1, shape: [100_000])
    try group.sum(tensor)
    FileHandle.standardError.write(Data("step \(step)\n".utf8))
    Thread.sleep(forTimeInterval: 0.01)
  }
  return [:]
}

func startAgain(_ group: ProcessGroup) throws -> [String: [Double]] {
  let sum = try group.sum([1.0])
  let starts = Int(ProcessInfo.processInfo.environment["TORCHELASTIC_RESTART_COUNT"] ?? "") ?? 0
  if starts == 0 { kill(getpid(), group.rank == 1 ? SIGKILL : 0) }
  let again = try group.sum([1.0])
  return ["starts": [Double(starts)], "sums": sum + again]
}
