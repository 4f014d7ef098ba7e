import OnePassCore
import Testing

@testable import OnePassData

/// The unusual files of ILSVRC-2012, read from a folder and from a list.
@Suite("Unusual files of ImageNet") struct ImageNetFolderTests {
  /// Every file name ends in `.JPEG`, but one file is a PNG (n02105855_2933.JPEG), and some are CMYK
  /// (n02447366_23489.JPEG).
  private static let files: [(synset: String, name: String, fixture: String)] = [
    ("n01440764", "n01440764_10026.JPEG", "420.jpg"), ("n02105855", "n02105855_2933.JPEG", "png-called.jpg"),
    ("n02447366", "n02447366_23489.JPEG", "cmyk.jpg"), ("n01443537", "n01443537_2.JPEG", "grey.jpg"),
  ]

  /// The labels are the indices of the sorted synsets, as in torchvision's ImageFolder.
  @Test("Unusual files are decoded and have torchvision's labels")
  func oddFilesAreDecodedUnderTorchvisionsLabels() throws {
    let folder = try TemporaryFolder()
    for (synset, name, fixture) in Self.files {
      try folder.write("train/\(synset)/\(name)", ImageFixtures.file(fixture).bytes)
    }
    try folder.write(
      "val.txt", Array(Self.files.map { "train/\($0.synset)/\($0.name) \($0.synset)\n" }.joined().utf8))
    let synsets = ["n01440764", "n01443537", "n02105855", "n02447366"]
    for specification in ["folder:\(folder.path)/train", "list:\(folder.path)/val.txt"] {
      let source = try SourceRegistry.open(specification, seed: 1)
      #expect(source.classNames == synsets)
      let examples = try takeAll(source)
      #expect(examples.count == 4)
      for example in examples {
        let location = try #require(source.location(of: example.id))
        let file = try #require(Self.files.first { location.hasSuffix("/\($0.synset)/\($0.name)") })
        #expect(example.label == synsets.firstIndex(of: file.synset), "\(location)")
        let reference = try #require(DecodedFixtures.all.good.first { $0.file == file.fixture })
        #expect(
          try ImageDecoder().decode(example.image, channels: 3).pixels == [UInt8](reference.rgb),
          "\(location)")
      }
    }
  }
}
