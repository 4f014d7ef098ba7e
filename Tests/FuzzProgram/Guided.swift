import Foundation
import OnePassCore

/// libFuzzer, which keeps what reaches new code and mutates it further.
enum Guided {
  #if LIBFUZZER
    nonisolated(unsafe) fileprivate static var format = Format.tar
    nonisolated(unsafe) private static var target: Target?

    /// - Parameter arguments: libFuzzer's options and folders of seeds.
    static func run(_ target: Target, _ format: Format, _ arguments: [String]) throws {
      (Self.target, Self.format) = (target, format)
      // libFuzzer ends the process itself.
      atexit { Guided.target?.finish() }
      let all = [CommandLine.arguments[0]] + arguments
      var pointers: [UnsafeMutablePointer<CChar>?] = all.map { strdup($0) } + [nil]
      pointers.withUnsafeMutableBufferPointer { buffer in
        var (count, start) = (Int32(all.count), buffer.baseAddress)
        let status = runDriver(&count, &start) { bytes, count in
          Guided.target?.read(Array(UnsafeBufferPointer(start: bytes, count: count)))
          return 0
        }
        print(
          "longest \(Int(target.longest * 1_000)) ms, largest \(target.largest >> 20) MiB, whole \(target.accepted)"
        )
        target.finish()
        exit(status)
      }
    }
  #else
    static func run(_ target: Target, _ format: Format, _ arguments: [String]) throws {
      throw OnePassError(.usage, "This program was built without libFuzzer: use scripts/fuzz.")
    }
  #endif
}

#if LIBFUZZER
  @_silgen_name("LLVMFuzzerRunDriver")
  private func runDriver(
    _ count: UnsafeMutablePointer<Int32>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> Int32
  ) -> Int32

  @_silgen_name("LLVMFuzzerMutate")
  private func fuzzerMutate(_ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int) -> Int

  /// libFuzzer calls it by this name for each new file: one of its own mutations or one of ours, then mostly right checksums.
  @_cdecl("LLVMFuzzerCustomMutator")
  public func customMutator(
    _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int, _ seed: UInt32
  ) -> Int {
    var file: [UInt8]
    if seed % 4 == 0 {
      let whole = Array(UnsafeBufferPointer(start: bytes, count: count))
      file = Mutator(Guided.format, seeds: [whole]).file(number: 0, seed: UInt64(seed))
    } else {
      file = Array(UnsafeBufferPointer(start: bytes, count: fuzzerMutate(bytes, count, limit)))
      if seed % 8 != 1 { Guided.format.repair(&file) }
    }
    let kept = min(file.count, limit)
    for index in 0..<kept { bytes[index] = file[index] }
    return kept
  }
#endif
