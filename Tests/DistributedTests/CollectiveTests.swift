import Foundation
import TestSupport
import TestTraits
import Testing

@Suite("Collective operations", .waitsForPrograms, .serialized) struct CollectiveTests {
  @Test("Every operation has the defined result on every rank", arguments: [1, 2, 3])
  func definitions(size: Int) throws {
    let results = try Ranks.together(size, ["collectives"])
    let all = Array(0..<size).map(Double.init)
    let sum = all.reduce(0, +)
    for (rank, values) in results.enumerated() {
      #expect(values["rank"] == [Double(rank)])
      #expect(values["size"] == [Double(size)])
      #expect(values["floats"] == [sum, Double(size)])
      #expect(values["integers"] == [Double(size) * 0x1p40, sum])
      // float32 would lose the small part.
      #expect(abs(try #require(values["doubles"]?[0]) - sum - Double(size) * 1e-12) < 1e-14)
      #expect(values["counts"] == [sum, Double(size)])
      #expect(values["broadcast"] == [Double(size - 1), Double(size - 1)])
      // Element i is i · Σ (rank + 1).
      let factor = sum + Double(size)
      #expect(values["part"] == [Double(2 * rank) * factor, Double(2 * rank + 1) * factor])
      #expect(values["gathered"] == all.map { 10 * $0 })
      #expect(values["lengths"] == all)
      #expect(values["bytes"] == all.flatMap { [Double](repeating: $0, count: Int($0)) })
      #expect(values["nothing"] == all.map { _ in 0 })
      let parcels: [[Double]] = all.map { sender in
        let length = sender + Double(rank)
        return [length, length == 0 ? 255 : 10 * sender + Double(rank)]
      }
      #expect(values["parcels"] == Array(parcels.joined()))
    }
  }

  @Test("A value that differs is reported on every rank, with the ranks that have it")
  func agreement() throws {
    for outcome in try Ranks.run(2, ["agreement", "blue", "blue"]) { #expect(outcome.status == 0) }
    for outcome in try Ranks.run(4, ["agreement", "blue", "red", "blue", "blue"]) {
      #expect(outcome.status == 64)
      #expect(
        outcome.message
          == "The ranks disagree on the colour: ranks 0, 2 and 3 have blue, rank 1 has red; "
          + "start every rank with the same program, options and files.")
    }
  }

  @Test("A difference of one bit in one weight is reported")
  func weights() throws {
    for outcome in try Ranks.run(2, ["weights"]) {
      #expect(outcome.status == 64)
      #expect(
        outcome.message
          == "The ranks disagree on fc.bias in the weights: rank 0 has one value, rank 1 has another; "
          + "start every rank with the same program, options and files.")
    }
  }
}
