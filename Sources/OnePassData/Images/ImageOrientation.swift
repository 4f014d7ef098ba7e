/// How an image is stored relative to how it is viewed: the values of the Exif tag 0x0112 (TIFF 6.0, Orientation).
///
/// ```swift
/// let header = try ImageHeader.read(example.image)
/// print(header.orientation.isUpright)
/// ```
public enum ImageOrientation: Int, Sendable, Codable, CaseIterable {
  case up = 1
  case upMirrored
  case down
  case downMirrored
  case leftMirrored
  case right
  case rightMirrored
  case left

  /// Whether the image is viewed as it is stored.
  public var isUpright: Bool { self == .up }
  /// Whether the stored rows are columns of the upright image.
  public var swapsSides: Bool { rawValue >= Self.leftMirrored.rawValue }
}

/// Whether images are turned upright according to their metadata.
///
/// ```swift
/// let policy: OrientationPolicy = .apply
/// ```
///
/// TIFF images are turned in either case, as Pillow turns them when it loads them.
public enum OrientationPolicy: String, Sendable, Codable, CaseIterable {
  /// Pixels as they are stored, as in torchvision's `ImageFolder`.
  case ignore
  /// Upright pixels, as Pillow's `ImageOps.exif_transpose` and the `datasets` library produce them.
  case apply
}

/// Finds the orientation in the metadata of a file while its header is read.
///
/// As in Pillow, XMP counts only where Exif has no orientation, and an unknown value counts as upright.
struct OrientationReader {
  private var exif: Int?
  private var xmp: Int?

  var orientation: ImageOrientation { (exif ?? xmp).flatMap(ImageOrientation.init) ?? .up }

  /// Takes an Exif block: a TIFF header and its directories, behind `Exif\0\0` in some files.
  mutating func takeExif(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard exif == nil else { return }
    var bytes = bytes
    for _ in 0..<2 where bytes.starts(with: Self.exifSignature) {
      bytes = UnsafeBufferPointer(rebasing: bytes.dropFirst(Self.exifSignature.count))
    }
    exif = TIFFDirectory(bytes).flatMap(Self.value)
  }

  /// Takes the first directory of a TIFF file.
  mutating func takeDirectory(_ directory: TIFFDirectory) {
    exif = Self.value(directory)
    if exif == nil, let packet = directory.bytes(of: .xmp) { takeXMP(packet) }
  }

  /// Takes an XMP packet; the last one counts.
  mutating func takeXMP(_ bytes: UnsafeBufferPointer<UInt8>) {
    guard exif == nil, let start = bytes.baseAddress else { return }
    xmp = nil
    let (name, count) = (Self.xmpName, bytes.count)
    var at = 0
    while at + name.count + 2 < count {
      // `t` is frequent, `:` in the fifth place behind it is not.
      guard bytes[at] == name[0], bytes[at + 4] == name[4],
        name.indices.allSatisfy({ start[at + $0] == name[$0] })
      else {
        at += 1
        continue
      }
      at += name.count
      let digit: Int
      if bytes[at] == UInt8(ascii: ">") {
        digit = at + 1
      } else if bytes[at] == UInt8(ascii: "="), bytes[at + 1] == UInt8(ascii: "\"") {
        digit = at + 2
      } else {
        continue
      }
      guard digit < count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[digit]) else { continue }
      xmp = Int(bytes[digit] - UInt8(ascii: "0"))
      return
    }
  }

  /// Takes an APP1 segment of a JPEG, from its length on.
  mutating func takeSegment(_ bytes: UnsafeBufferPointer<UInt8>, at place: Int) {
    guard place + 2 <= bytes.count else { return }
    let length = Int(bytes[place]) << 8 | Int(bytes[place + 1])
    guard length >= 2, length <= bytes.count - place else { return }
    let data = UnsafeBufferPointer(rebasing: bytes[place + 2..<place + length])
    if data.starts(with: Self.exifSignature) {
      takeExif(data)
    } else if data.starts(with: Self.xmpSignature) {
      takeXMP(data)
    }
  }

  /// The orientation of a PNG, by its eXIf chunk or its XMP text, if that is not compressed.
  static func ofPNG(_ bytes: UnsafeBufferPointer<UInt8>) -> ImageOrientation {
    var reader = OrientationReader()
    var at = 33
    while at + 12 <= bytes.count {
      let length = bytes[at..<at + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - at - 12 else { break }
      // Any bytes may follow the chunk IEND.
      if (bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]) == (0x49, 0x45, 0x4E, 0x44) { break }
      // What is not ancillary holds no metadata.
      if bytes[at + 4] & 0x20 != 0 {
        let data = UnsafeBufferPointer(rebasing: bytes[at + 8..<at + 8 + length])
        switch (bytes[at + 4], bytes[at + 5], bytes[at + 6], bytes[at + 7]) {
        case (0x65, 0x58, 0x49, 0x66): reader.takeExif(data)
        case (0x69, 0x54, 0x58, 0x74):
          if data.starts(with: pngXMPKeyword) { reader.takeXMP(data) }
        default: break
        }
      }
      at += 12 + length
    }
    return reader.orientation
  }

  /// The keyword of an international text, and that it is not compressed.
  private static let pngXMPKeyword = Array("XML:com.adobe.xmp\0\0".utf8)

  /// The tag's first value; 0, which is no orientation, where it is not a whole number.
  private static func value(_ directory: TIFFDirectory) -> Int? {
    guard directory.has(.orientation) else { return nil }
    return directory.numbers(of: .orientation, atMost: 1).first ?? 0
  }

  static let exifSignature = Array("Exif\0\0".utf8)
  static let xmpSignature = Array("http://ns.adobe.com/xap/1.0/\0".utf8)
  private static let xmpName = Array("tiff:Orientation".utf8)
}
