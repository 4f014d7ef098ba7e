import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("Sources that are named by their path alone") struct SourceReadingTests {
  let folder: TestSupport.TemporaryFolder

  init() throws {
    folder = try TestSupport.TemporaryFolder()
    for name in [
      "photos/train/a/1.png", "a.tar", "a.tar.gz", "B.TAR.ZST", "c.tgz", "a.parquet", "a.zip", "a.bin",
      "ILSVRC2012_img_train.tar", "dots.tar/x/1.png",
    ] { try folder.write([], to: name) }
  }

  @Test(
    "A path is read as the kind that it is",
    arguments: [
      ("photos/train", "folder"), ("a.tar", "wds"), ("a.tar.gz", "wds"), ("B.TAR.ZST", "wds"),
      ("c.tgz", "wds"), ("none-{0..3}.tar", "wds"), ("{a,b}.parquet", "hf"), ("a.parquet", "hf"),
      ("a.zip", "zip"),
      ("ILSVRC2012_img_train.tar", "ilsvrc"), ("dots.tar", "folder"),
    ])
  func aPathIsReadByWhatItIs(name: String, kind: String) throws {
    let path = folder.file(name)
    let reading = try SourceRegistry.reading(of: path)
    #expect(reading.specification == "\(kind):\(path)")
    #expect(reading.notice == "\(path) is read as \(kind):\(path).")
  }

  @Test("A text that names its kind is unchanged")
  func aKindIsUnchanged() throws {
    for text in ["fashion-mnist", "fashion-mnist:test", "folder:nowhere", "wds:-", "hf:@list", "idx:a.tar"] {
      let reading = try SourceRegistry.reading(of: text)
      #expect(reading.specification == text && reading.notice == nil)
    }
  }

  @Test("A specification can be in an environment variable")
  func anEnvironmentVariableIsRead() throws {
    let name = "ONEPASS_TEST_SOURCE"
    defer { unsetenv(name) }
    func isRefused() -> Bool { (try? SourceRegistry.reading(of: "env:\(name)")) == nil }
    #expect(isRefused())
    setenv(name, "wds:https://h/a.tar?signature=s3cret", 1)
    #expect(
      try SourceRegistry.reading(of: "env:\(name)").specification == "wds:https://h/a.tar?signature=s3cret")
    setenv(name, folder.file("a.zip"), 1)
    #expect(try SourceRegistry.reading(of: "env:\(name)").specification == "zip:\(folder.file("a.zip"))")
    setenv(name, "env:\(name)", 1)
    #expect(isRefused())
  }

  @Test("An address is read by its ending, and its query stays secret")
  func anAddressIsReadByItsEnding() throws {
    let reading = try SourceRegistry.reading(of: "https://example.org/a.tar?signature=s3cret")
    #expect(reading.specification == "wds:https://example.org/a.tar?signature=s3cret")
    #expect(reading.notice == "https://example.org/a.tar?… is read as wds:https://example.org/a.tar?….")
    #expect(throws: OnePassError.self) { try SourceRegistry.reading(of: "https://example.org/a.zip") }
  }

  @Test(
    "What does not exist is named, with the kinds of sources",
    arguments: [
      ("photos/trian", "no file or folder has this name"), ("b.tar", "no file or folder has this name"),
      ("b.zip", "no file or folder has this name"), ("a.bin", "its name does not state its kind"),
    ])
  func whatDoesNotExistIsNamed(name: String, fact: String) throws {
    let path = folder.file(name)
    #expect {
      try SourceRegistry.open(path, seed: 1)
    } throws: { error in
      (error as? OnePassError)?.code == .usage
        && "\(error)".hasPrefix("\"\(path)\": unknown data source; \(fact); use one of: fashion-mnist")
        && "\(error)".contains("folder:DIR (image files, one folder per class)")
    }
  }
}
