import Foundation
import OnePassCore

/// Fuzzing with libFuzzer, which keeps files that reach new code, and mutates them further.
enum Guided {
  #if LIBFUZZER
    nonisolated(unsafe) fileprivate static var format = Format.tar
    nonisolated(unsafe) fileprivate static var mutator: Mutator?
    nonisolated(unsafe) private static var target: Target?

    /// - Parameters:
    ///   - arguments: Options and folders for libFuzzer. The last folder has valid files.
    ///   - whole: The valid files.
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
      throw OnePassError(.usage, "--guided requires a build with libFuzzer; use scripts/fuzz.")
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

  /// libFuzzer calls this function, by name, for each new file.
  ///
  /// Half of the files are mutations of a valid file, most of which is then read. The others are libFuzzer's mutations of files that
  /// reached new code, mostly with repaired checksums. They explore rare paths, and become less and less valid.
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
