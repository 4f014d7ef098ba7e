import Foundation
import OnePassCore

/// Detects files that PyTorch wrote with pickle. They can run any code and are never read.
enum PickledFile {
  private static let extensions: Set<String> = ["pt", "pth", "bin", "ckpt", "pkl", "pickle"]

  /// Whether a file is pickled, by its content or, if that is inconclusive, by its extension.
  /// - Parameter start: The first 16 bytes of the file, or all of a shorter one.
  static func isOne(_ path: String, start: [UInt8]) -> Bool {
    // `torch.save` writes a zip archive. Before PyTorch 1.6 it wrote bare pickles, which start with their protocol.
    if start.starts(with: Array("PK\u{3}\u{4}".utf8)) { return true }
    // A safetensors file starts with the length of its header, which is below 2³², and the header.
    let isSafetensors =
      start.count > 8 && start[4..<8].allSatisfy { $0 == 0 } && start[8] == UInt8(ascii: "{")
    guard !isSafetensors else { return false }
    if start.count > 1, start[0] == 0x80, (1...5).contains(start[1]) { return true }
    return extensions.contains(URL(fileURLWithPath: path).pathExtension.lowercased())
  }

  /// The error for a pickled file, with two lines of Python that convert it.
  static func refusal(of path: String) -> OnePassError {
    let target = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent + ".safetensors"
    let conversion = [
      "import torch, safetensors.torch; w = torch.load(\(quoted(path)), \"cpu\", weights_only=True)",
      "safetensors.torch.save_file({k: v.contiguous().clone() for k, v in w.get(\"state_dict\", w).items()}, "
        + "\(quoted(target)))",
    ]
    return OnePassError.pickledWeights(path, conversion: conversion)
  }

  /// A path as a string literal of Python.
  private static func quoted(_ text: String) -> String {
    "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }
}
