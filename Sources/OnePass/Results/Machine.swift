import Foundation
import OnePassCore

/// The machine of a run: processor, memory, GPUs and operating system.
///
/// ```swift
/// print(Machine.current.processor, Machine.current.cores)
/// ```
public struct Machine: Codable, Hashable, Sendable {
  /// The model name of the processor.
  public var processor: String
  /// The number of cores that the process may use.
  public var cores: Int
  /// The architecture: `x86_64`, `arm64` or `other`.
  public var architecture: String
  /// The name and version of the operating system.
  public var system: String
  /// The installed memory, in bytes.
  public var memoryBytes: UInt64
  /// The models of the NVIDIA GPUs.
  public var accelerators: [String]

  /// The machine that runs this program.
  public static let current: Machine = {
    let process = ProcessInfo.processInfo
    return Machine(
      processor: processorName ?? "unknown", cores: AvailableProcessors.current.count,
      architecture: architectureName,
      system: systemName ?? process.operatingSystemVersionString, memoryBytes: process.physicalMemory,
      accelerators: accelerators)
  }()

  private static var architectureName: String {
    #if arch(x86_64)
      "x86_64"
    #elseif arch(arm64)
      "arm64"
    #else
      "other"
    #endif
  }

  #if os(Linux)
    private static var processorName: String? {
      value(of: "model name", separator: ":", in: "/proc/cpuinfo")
    }
    private static var systemName: String? {
      value(of: "PRETTY_NAME", separator: "=", in: "/etc/os-release")
    }
  #else
    private static var processorName: String? {
      var length = 0
      guard sysctlbyname("machdep.cpu.brand_string", nil, &length, nil, 0) == 0 else { return nil }
      var name = [UInt8](repeating: 0, count: length)
      guard sysctlbyname("machdep.cpu.brand_string", &name, &length, nil, 0) == 0 else { return nil }
      return String(decoding: name.prefix { $0 != 0 }, as: UTF8.self)
    }
    private static var systemName: String? { nil }
  #endif

  /// The driver has a folder per GPU with a file that names the model. It can be read without CUDA.
  private static var accelerators: [String] {
    let folder = "/proc/driver/nvidia/gpus"
    let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
    return names.sorted().compactMap { value(of: "Model", separator: ":", in: "\(folder)/\($0)/information") }
  }

  /// The value of the first line `key separator value` of a text file.
  private static func value(of key: String, separator: Character, in path: String) -> String? {
    guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return nil }
    for line in text.split(whereSeparator: \.isNewline) {
      let parts = line.split(separator: separator, maxSplits: 1)
      guard parts.count == 2, parts[0].trimmingCharacters(in: .whitespaces) == key else { continue }
      return parts[1].trimmingCharacters(in: CharacterSet(charactersIn: " \t\""))
    }
    return nil
  }
}
