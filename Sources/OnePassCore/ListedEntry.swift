/// An entry of a source's listing: an image file, a member of an archive, a shard.
///
/// ```swift
/// func listedBytes(of source: any ExampleSource) -> Int? {
///   var bytes = 0
///   return source.visitListing { bytes += $0.bytes ?? 0 } ? bytes : nil
/// }
/// ```
public struct ListedEntry: Hashable, Sendable {
  /// The name in bytes, relative to the folder or archive of the source, so that moved data has the same listing.
  public let name: [UInt8]
  /// The label of the image; `nil` for an entry with several images.
  public let label: Int?
  /// The size in bytes, if the listing has it.
  public let bytes: Int?

  /// Creates an entry.
  public init(name: [UInt8], label: Int? = nil, bytes: Int? = nil) {
    (self.name, self.label, self.bytes) = (name, label, bytes)
  }
}
