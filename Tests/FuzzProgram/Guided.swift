import Foundation
import OnePassCore

/// libFuzzer, which keeps what reaches new code and mutates it further.
enum Guided {
  #if LIBFUZZER
    nonisolated(unsafe) fileprivate static var format = Format.tar
    nonisolated(unsafe) fileprivate static var mutator: Mutator?
    nonisolated(unsafe) private static var target: Target?

    /// - Parameters:
    ///   - arguments: libFuzzer's options and folders, the last of them with whole files.
    ///   - whole: These files.
    static func run(_ target: Target, _ format: Format, _ arguments: [String], whole: [[UInt8]]) throws {
      mutator = Mutator(format, seeds: whole)
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
        exit(status)
      }
    }
  #else
    static func run(_ target: Target, _ format: Format, _ arguments: [String], whole: [[UInt8]]) throws {
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

  /// libFuzzer calls it by this name for each new file.
  ///
  /// Every other file is a whole one that was changed, so that most of it is read. The others are what libFuzzer makes of those that
  /// reached new code, mostly with right checksums: it drives into corners, and away from what is whole.
  @_cdecl("LLVMFuzzerCustomMutator")
  public func customMutator(
    _ bytes: UnsafeMutablePointer<UInt8>, _ count: Int, _ limit: Int, _ seed: UInt32
  ) -> Int {
    var file: [UInt8]
    if let mutator = Guided.mutator, seed % 2 == 0 {
      file = mutator.file(number: 0, seed: UInt64(seed))
    } else {
      file = Array(UnsafeBufferPointer(start: bytes, count: fuzzerMutate(bytes, count, limit)))
      if seed % 8 != 1 { Guided.format.repair(&file) }
    }
    let kept = min(file.count, limit)
    for index in 0..<kept { bytes[index] = file[index] }
    return kept
  }
#endif
