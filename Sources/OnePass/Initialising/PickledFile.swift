import Foundation
import OnePassCore

/// Tells files that PyTorch wrote with pickle, which are programs and are never read.
enum PickledFile {
  private static let extensions: Set<String> = ["pt", "pth", "bin", "ckpt", "pkl", "pickle"]

  /// Whether a file is one, by its content; where that says nothing, by its name.
  /// - Parameter start: Its first bytes, at least 16 where it has so many.
  static func isOne(_ path: String, start: [UInt8]) -> Bool {
    // `torch.save` writes a zip archive; before PyTorch 1.6 it wrote bare pickles, which begin with their protocol.
    if start.starts(with: Array("PK\u{3}\u{4}".utf8)) { return true }
    // The length of a header, which is below 2³², and its first character.
    let isSafetensors =
      start.count > 8 && start[4..<8].allSatisfy { $0 == 0 } && start[8] == UInt8(ascii: "{")
    guard !isSafetensors else { return false }
    if start.count > 1, start[0] == 0x80, (1...5).contains(start[1]) { return true }
    return extensions.contains(URL(fileURLWithPath: path).pathExtension.lowercased())
  }

  /// Why the file is not read, with the two lines of Python that make one that is.
  static func refusal(of path: String) -> OnePassError {
    let target = URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent + ".safetensors"
    let recipe = [
      "import torch, safetensors.torch; w = torch.load(\(quoted(path)), \"cpu\", weights_only=True)",
      "safetensors.torch.save_file({k: v.contiguous().clone() for k, v in w.get(\"state_dict\", w).items()}, "
        + "\(quoted(target)))",
    ]
    return OnePassError(
      .badData,
      "\(path) is a file of PyTorch's own kind, a pickle, and those can run any code when they are read: "
        + "convert it to safetensors in Python." + recipe.map { "\n  \($0)" }.joined())
  }

  /// A path as Python writes it.
  private static func quoted(_ text: String) -> String {
    "\"\(text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\""))\""
  }
}
