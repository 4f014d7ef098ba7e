import Dispatch
import OnePassTorch
import Synchronization

// A program without the engine, which uses tensors on several threads without loading it first. Each thread prints the sum of a
// tensor of another shape and value.
print("loaded", Engine.isLoaded)
let sums = Mutex([Int: Float]())
DispatchQueue.concurrentPerform(iterations: 8) { index in
  do {
    let tensor = try Tensor.full(Double(index) + 0.25, shape: [index + 1, 3])
    let sum = try tensor.sum().floats()[0]
    sums.withLock { $0[index] = sum }
  } catch { print(error) }
}
for (index, sum) in sums.withLock({ $0 }).sorted(by: { $0.key < $1.key }) { print(index, sum) }
print("loaded", Engine.isLoaded)
