import Foundation
import OnePassCore
import Testing

@testable import OnePassData

@Suite("Error messages about archives, shards and downloads") struct ArchiveErrorMessageTests {
  typealias Case = (error: OnePassError, code: OnePassError.Code, text: String)

  struct Cause: Error {}

  static let archives: [Case] = [
    (
      .noImages(inArchive: "a.zip"), .badData,
      "a.zip: no image files (.jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff or .webp) in class folders; "
        + "put the images of each class into their own folder."
    ),
    (
      .archivedFoldersAreParts(of: "a.zip", ["train", "val"], "train", "val"), .badData,
      "a.zip: contains parts of a data set (train, val) instead of class folders; "
        + "unpack it into DIR and use folder:DIR/train --eval-data folder:DIR/val."
    ),
    (
      .duplicateEntry("cat/1.jpg", in: "a.zip"), .badData,
      "a.zip: two files named cat/1.jpg; re-create the archive without the duplicate."
    ),
    (
      .unknownArchiveClass("dog", in: "a.zip", known: ["cat", "cow"]), .badData,
      "a.zip: class dog is not one of the 2 expected classes (cat, …); use data with the same classes."
    ),
    (
      .isILSVRCValidationSet("val.tar"), .badData,
      "val.tar: images but no class tars, so it may be the validation set; "
        + "unpack it and list its images with their classes (list:FILE)."
    ),
    (
      .noClassTars(in: "t.tar"), .badData,
      "t.tar: no class tars with images; use ILSVRC2012_img_train.tar, uncompressed."
    ),
    (
      .damagedZip("a.zip", .noEndRecord), .badData,
      "a.zip: not a complete zip archive (no end-of-archive record); download it again or re-create it."
    ),
    (
      .splitZip("a.zip"), .badData,
      "a.zip: one part of a split zip archive; join the parts first (zip -s 0 --out FILE)."
    ),
    (
      .encryptedZip("a.zip", entry: "cat/1.jpg"), .badData,
      "a.zip: encrypted (entry cat/1.jpg); re-create it without a password."
    ),
  ]

  static let shards: [Case] = [
    (
      .noShardsListed(in: "list.txt"), .badData,
      "list.txt: no shards listed; write one path or address per line."
    ),
    (
      .malformedBraces(in: "t-{0..}.tar"), .usage,
      "t-{0..}.tar: its braces name no shards; use a range such as {0000..0009} or a list such as {a,b}."
    ),
    (
      .tooManyShards(in: "https://u:p@h/t-{0..9999999}.tar?key=x", limit: 1_000_000), .usage,
      "https://h/t-{0..9999999}.tar?…: more than 1000000 shards; check the range."
    ),
    (.noSuchShard("t-0.tar"), .io, "t-0.tar: no such shard; check the path and the range."),
    (
      .standardInputIsTerminal("wds:-"), .usage,
      "wds:-: standard input is a terminal; pipe a tar file into it (cat train.tar | onepass …)."
    ),
    (
      .standardInputAmongShards("wds:{-,a.tar}"), .usage,
      "wds:{-,a.tar}: standard input (-) cannot be combined with other shards; use wds:-."
    ),
    (
      .damagedIndex("t.json", cause: Cause()), .badData,
      "t.json: not a complete wids index of version 1; re-create or remove it."
    ),
    (
      .exampleCountDiffers("t-1.tar", count: 3, expected: 4), .badData,
      "t-1.tar: 3 examples, but its index states 4; download the shard again or remove the index."
    ),
    (
      .metadataIsNoObject(sample: "ann/0", in: "t.tar"), .badData,
      "t.tar: the .json of sample \"ann/0\" is not a JSON object; correct it."
    ),
    (
      .duplicateSampleEntry(sample: "x", in: "t.tar"), .badData,
      "t.tar: sample \"x\" has two entries of the same name; re-create the shard."
    ),
    (
      .sampleWithoutLabel("x", in: "t.tar"), .badData,
      "t.tar: sample \"x\" has no label (an entry ending in .cls); add it or remove the sample."
    ),
    (
      .sampleWithoutLabel("x", in: "t.tar", labelKey: .field("y")), .badData,
      "t.tar: sample \"x\" has no label (an entry ending in .json); add it or remove the sample."
    ),
    (
      .sampleWithLabelInMetadata("x", in: "t.tar", field: "class"), .badData,
      "t.tar: sample \"x\" has no label (an entry ending in .cls), but its .json has the field \"class\"; "
        + "pass --label-key json:class."
    ),
    (
      .samplePartIsNotAdjacent(SampleGap(missing: .label, key: "x"), in: "t.tar.gz", labelKey: .entry),
      .badData,
      "t.tar.gz: sample \"x\" has no label (an entry ending in .cls) next to its other entries; "
        + "in a compressed shard or a stream they must be adjacent, as in tar --sort=name; "
        + "re-create the archive, or pass it as an uncompressed file."
    ),
    (
      .metadataWithoutLabel("y", sample: "x", in: "t.tar"), .badData,
      "t.tar: the .json of sample \"x\" has no number or text \"y\"; correct it or pass another --label-key."
    ),
    (
      .sampleWithoutFolder("x", in: "t.tar"), .badData,
      "t.tar: sample \"x\" is not in a folder, which --label-key folder requires; pass another --label-key."
    ),
    (
      ReadFailure.unsupportedCompression("lz4").error(in: "t.tar", at: .start), .badData,
      "t.tar: lz4 compression is not supported by this machine's libarchive; "
        + "decompress the file, or compress it with gzip or zstd."
    ),
    (
      .sampleWithoutImage("x", in: "t.tar"), .badData,
      "t.tar: sample \"x\" has no image (an entry ending in .jpg, .jpeg, .png, .ppm, .bmp, .pgm, .tif, .tiff, .webp, "
        + ".pbm, .img or .image); add it or remove the sample."
    ),
    (
      .unknownSampleLabel("bee", sample: "x", in: "t.tar", classNames: 0), .badData,
      "t.tar: sample \"x\" has label \"bee\", which is not a number; correct it."
    ),
    (
      .unknownSampleLabel(String(repeating: "b", count: 50), sample: "x", in: "t.tar", classNames: 2),
      .badData,
      "t.tar: sample \"x\" has label \"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb…\", "
        + "which is not a number or one of the 2 class names; correct it."
    ),
  ]

  static let reading: [Case] = [
    (
      .isNoAddress("https://u:p@/x"), .usage,
      "https:///x: not an HTTP address; write https://HOST/PATH."
    ),
    (
      ReadFailure.damagedHeader.error(in: "t.tar", at: .examples(3)), .badData,
      "t.tar: truncated or corrupt after 3 examples (damaged header); download it again or re-create it."
    ),
    (
      ReadFailure.truncatedEntry.error(in: "t.tar", at: .examples(1)), .badData,
      "t.tar: truncated or corrupt after 1 example (truncated inside an entry); download it again or re-create it."
    ),
    (
      ReadFailure.noEndOfArchive.error(in: "i.tar/n01.tar", at: .images(7)), .badData,
      "i.tar/n01.tar: truncated or corrupt after 7 images (no end-of-archive mark); download it again or re-create it."
    ),
    (
      ReadFailure.entrySizeDiffers(expected: 9).error(in: "a.zip/cat/1.jpg", at: .decompressing), .badData,
      "a.zip/cat/1.jpg: truncated or corrupt when it was decompressed "
        + "(its size is not the 9 bytes that the central directory states); download it again or re-create it."
    ),
    (
      ReadFailure.entryIsTooLarge(bytes: 8_589_934_591, limit: 4_096).error(in: "t.tar", at: .examples(0)),
      .badData,
      "t.tar: an entry is too large after 0 examples (8589934591 bytes, at most 4096 are allowed); remove it."
    ),
    (
      ReadFailure.system(errno: EIO).error(in: "t.parquet", at: .byte(4_096)), .io,
      "t.parquet: cannot read at byte 4096: Input/output error; check the disk."
    ),
    (
      ReadFailure.outOfMemory.error(in: "t.parquet", at: .column(["image", "bytes"])), .io,
      "t.parquet: cannot read in column image.bytes: out of memory; free some memory and try again."
    ),
  ]

  static let downloads: [(failure: ReadFailure, text: String)] = [
    (
      .attemptsExhausted("the server answered 503", attempts: 4, seconds: 12),
      "the server answered 503 (4 attempts in 12 s); check the connection and the server, then continue with --resume."
    ),
    (
      .attemptsExhausted("the server was silent for 60 s", attempts: 1, seconds: 60),
      "the server was silent for 60 s (1 attempt); check the connection and the server, then continue with --resume."
    ),
    (
      .connection(.untrustedCertificate, remedy: "set CURL_CA_BUNDLE"),
      "the server's certificate is not trusted; set CURL_CA_BUNDLE."
    ),
    (
      .forbiddenRedirect(to: "ftp://x/y?key=z"),
      "the server redirects to ftp://x/y?…; only http and https are followed, and never from https to http: "
        + "pass the file's own address."
    ),
    (
      .forbiddenRedirect(to: nil),
      "the server redirects to no address; only http and https are followed, and never from https to http: "
        + "pass the file's own address."
    ),
    (.tooManyRedirects(limit: 5), "more than 5 redirects; pass the file's own address."),
    (.wrongByteRange, "the server sent a different byte range than requested; download the file first."),
    (.notOnServer(status: 404), "no such file on the server (404); check the address and the range."),
    (
      .accessDenied(status: 403),
      "access denied (403); if the address is signed, it may have expired: sign it again and continue with --resume."
    ),
    (
      .endsBefore(byte: 20_000),
      "the file changed: it ends before byte 20000, where reading was interrupted (416); "
        + "restore the old file and continue with --resume, or start the run again."
    ),
    (
      .changed(after: 20_000),
      "the file changed after 20000 bytes were read; "
        + "restore the old file and continue with --resume, or start the run again."
    ),
    (.unexpectedStatus(418), "the server answered 418; check the address."),
  ]

  @Test(
    "An error starts with the file and ends with the remedy",
    arguments: archives + shards + reading)
  func message(error: OnePassError, code: OnePassError.Code, text: String) {
    #expect(error.message == text)
    #expect(error.code == code)
  }

  @Test("A failed download is reported with the address, the cause and the remedy", arguments: downloads)
  func download(failure: ReadFailure, text: String) {
    let error = failure.error(in: "https://h/t.tar", at: .start)
    #expect(error.message == "https://h/t.tar: cannot read: " + text)
    #expect(error.code == .io)
  }

  @Test(
    "A broken connection names the peer and the remedy, if there is one",
    arguments: [
      (.silentServer(seconds: 60), "the server was silent for 60 s", nil),
      (.noData(seconds: 60), "no data was received for 60 s", nil),
      (
        .unreachable("the server h", reason: "Connection refused"),
        "cannot reach the server h: Connection refused", nil
      ),
      (.connectionTimedOut("the proxy p"), "connecting to the proxy p timed out", nil),
      (.proxyFailed(host: "h", status: 502), "the proxy cannot connect to h (502)", nil),
      (
        .proxyRefused(host: "h", status: 403), "the proxy refuses to connect to h (403)",
        "allow the host in the proxy, or add it to no_proxy"
      ),
      (
        .proxyWantsPassword, "the proxy requires a user name and a password (407)",
        "add both to the proxy's address: http_proxy=http://NAME:PASSWORD@HOST:PORT"
      ),
      (
        .certificateForAnotherHost(than: "h"), "the server's certificate is not for host h",
        "use a host name that the certificate covers"
      ),
    ] as [(HTTPExchange.Broken, String, String?)])
  func connection(broken: HTTPExchange.Broken, detail: String, remedy: String?) {
    #expect(broken.detail == detail)
    #expect(broken.remedy == remedy)
  }
}
