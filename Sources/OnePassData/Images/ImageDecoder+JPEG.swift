import CTurboJPEG
import OnePassCore

extension ImageDecoder {
  /// Fills `pixels` with the whole image.
  func decodeJPEG(_ bytes: [UInt8], _ header: ImageHeader, channels: Int) throws {
    let handle = try turbo()
    let count = header.width * header.height
    let (format, stored): (TJPF, Int) =
      switch header.components {
      case 1 where channels == 1: (TJPF_GRAY, 1)
      case 4: (TJPF_CMYK, 4)
      default: (TJPF_RGB, 3)
      }
    let target = pixels.reserve(count * stored)
    // The limit on scans stops progressive files that are small and take minutes.
    let flags = TJFLAG_ACCURATEDCT | TJFLAG_LIMITSCANS
    // With the size given, libjpeg-turbo never writes beyond it, whatever the file says.
    let status = bytes.withUnsafeBufferPointer {
      tjDecompress2(
        handle, $0.baseAddress, UInt($0.count), target, Int32(header.width), Int32(header.width * stored),
        Int32(header.height), format.rawValue, flags)
    }
    if status != 0 { try judgeJPEG(handle, bytes) }
    if stored == 4 { ColourKernels.rgb(ofInvertedCMYK: target, into: target, count: count) }
    if stored >= 3, channels == 1 { ColourKernels.luma(ofRGB: target, into: target, count: count) }
  }

  /// Tells a broken file from one with harmless oddities, after a status other than 0.
  private func judgeJPEG(_ handle: tjhandle, _ bytes: [UInt8]) throws {
    let message = String(cString: tjGetErrorStr2(handle))
    guard tjGetErrorCode(handle) == TJERR_WARNING.rawValue else {
      throw OnePassError(.badData, "The JPEG is broken (\(message)): replace it or remove it from the data.")
    }
    // libjpeg keeps the first warning only, so that an earlier one can hide that the file ends early.
    guard !message.hasPrefix("Premature end of JPEG file"), Self.hasEndOfImage(bytes) else {
      throw OnePassError(
        .badData, "The JPEG ends early, after \(bytes.count) bytes: replace it or remove it from the data.")
    }
  }

  /// Whether an end-of-image marker follows the first scan.
  ///
  /// Within a scan 0xFF is always followed by 0 or a restart number, so that the marker cannot be image data;
  /// before the first scan it can, in an embedded preview.
  private static func hasEndOfImage(_ bytes: [UInt8]) -> Bool {
    var at = 2
    while at + 3 < bytes.count {
      guard bytes[at] == 0xFF, bytes[at + 1] != 0xFF, bytes[at + 1] != 0 else {
        at += 1
        continue
      }
      let marker = bytes[at + 1]
      if marker == 0xDA { break }
      let isAlone = marker == 0x01 || (0xD0...0xD8).contains(marker)
      at += 2 + (isAlone ? 0 : max(2, Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])))
    }
    guard at < bytes.count else { return false }
    return zip(bytes[at...], bytes[at...].dropFirst()).contains { $0 == 0xFF && $1 == 0xD9 }
  }
}
