import OnePassCore
import OnePassTorch
import Testing

@Suite("Failures of libtorch") struct ErrorTests {
  @Test("A shape mismatch throws an error with the message of libtorch")
  func shapeMismatch() throws {
    let images = try Tensor.zeros(shape: [1, 3, 8, 8])
    let weight = try Tensor.zeros(shape: [4, 1, 3, 3])
    #expect {
      try conv2d(images, weight: weight)
    } throws: { error in
      let error = error as? OnePassError
      return error?.code == .engine && error?.message.hasPrefix("libtorch failed in conv2d: ") == true
        && error?.message.contains("expected input[1, 3, 8, 8] to have 1 channels, but got 3 channels")
          == true
    }
  }

  @Test("Every invalid use throws, and the next valid use succeeds")
  func wrongUses() throws {
    let two = try Tensor([1, 2], shape: [2])
    let labels = try Tensor([0, 5] as [Int64], shape: [2])
    let logits = try Tensor([1, 2, 3, 4], shape: [2, 2])
    #expect(throws: OnePassError.self) { try two.backward() }
    #expect(throws: OnePassError.self) { try two.sum().backward() }
    #expect(throws: OnePassError.self) { try two.item }
    #expect(throws: OnePassError.self) { try two.integers() }
    #expect(throws: OnePassError.self) { try labels.floats() }
    #expect(throws: OnePassError.self) { try labels.setRequiresGradient(true) }
    #expect(throws: OnePassError.self) { try crossEntropy(logits, labels: labels) }
    #expect(throws: OnePassError.self) { try two.narrowed(from: 1, length: 2) }
    #expect(throws: OnePassError.self) { try two.write(two, at: 0) }
    #expect(throws: OnePassError.self) { try two.copy(from: labels.narrowed(from: 0, length: 0)) }
    #expect(throws: OnePassError.self) { try two.selected(labels) }
    #expect(throws: OnePassError.self) { try concatenated([]) }
    #expect(throws: OnePassError.self) { try logits.maxPool2d(size: 9, stride: 1) }
    #expect(try (two + two).floats() == [2, 4])
  }

  @Test("A lack of memory is reported with the operation and the remedy")
  func outOfMemory() {
    #expect {
      try Tensor.zeros(shape: [1 << 40, 1 << 15])
    } throws: { error in
      (error as? OnePassError)?.message.hasPrefix("Out of memory in full (") == true
        && (error as? OnePassError)?.message.contains("use a smaller batch") == true
    }
  }

  @Test(
    "Text that is not a device is rejected",
    arguments: ["gpu", "cuda:", "cuda:-1", "cuda:x", "", "CPU", "cuda:1:2"])
  func unknownDevice(name: String) {
    #expect { try Device(parsing: name) } throws: { ($0 as? OnePassError)?.code == .usage }
  }

  @Test("A CUDA device that does not exist is a usage error")
  func missingDevice() throws {
    let absent = Engine.cudaDeviceCount
    #expect {
      try Device(parsing: "cuda:\(absent)")
    } throws: { error in
      let error = error as? OnePassError
      return error?.code == .usage && error?.message.hasPrefix("--device cuda:\(absent) ") == true
    }
    #expect { try Tensor([1], shape: [1], on: .cuda(absent)) } throws: {
      ($0 as? OnePassError)?.code == .usage
    }
    #expect(try Device(parsing: "cpu") == .cpu)
    #expect(try Device(parsing: "auto") == (absent > 0 ? .cuda(0) : .cpu))
  }

  @Test("An impossible number of threads is rejected", arguments: [0, -1, 1 << 40])
  func impossibleThreads(count: Int) {
    #expect { try Engine.setThreadCount(count) } throws: { ($0 as? OnePassError)?.code == .usage }
  }
}
