import TestSupport
import TestTraits
import Testing

@Suite("ONEPASS_KERNELS chooses the kernels", .waitsForPrograms) struct KernelChoiceTests {
  @Test("Our own kernels and libtorch's give the same losses, and are recorded")
  func sameLosses() throws {
    let fixture = RunFixture(
      try TemporaryFolder(), data: "synthetic:96:28:10",
      options: [
        "--model", "resnet8", "--batch-size", "16", "--replay-steps", "1", "--storage", "40", "--seed", "3",
        "--threads", "2",
      ])
    var losses: [[Double]] = []
    for kernels in ["own", "libtorch"] {
      let run = try fixture.attempt(kernels, environment: ["ONEPASS_KERNELS": kernels])
      #expect(run.status == 0, "\(run.errors)")
      let threads = try #require(try fixture.result(kernels)["threads"] as? [String: Any])
      #expect(threads["kernels"] as? String == kernels)
      losses.append(try fixture.column("loss", of: kernels).map { try #require(Double($0)) })
    }
    try #require(losses[0].count == 6 && losses[1].count == 6)
    // Rounding differs, and grows by a factor of ten or more from step to step.
    #expect(abs(losses[0][0] - losses[1][0]) <= 1e-6)
    #expect(abs(losses[0][1] - losses[1][1]) <= 1e-3)
    #expect(losses[0] != losses[1])
  }

  @Test("Another value is refused with the possible ones")
  func refusal() throws {
    let fixture = try RunFixture(StripedImages(count: 96))
    let run = try fixture.attempt(nil, environment: ["ONEPASS_KERNELS": "fast"])
    #expect(run.status == 64)
    #expect(run.errors.contains("ONEPASS_KERNELS must be own or libtorch (got fast)."))
  }
}
