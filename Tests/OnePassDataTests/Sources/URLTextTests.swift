import Foundation
import OnePassCore
import TestSupport
import Testing

@testable import OnePassData

@Suite("Secrets of URLs") struct URLTextTests {
  @Test(
    "User names, passwords and queries are not shown",
    arguments: [
      ("http://me:a,b@h/x.tar", "http://h/x.tar"), ("http://me:a@b@h/x.tar", "http://h/x.tar"),
      ("http://me:a}b@h/x-{0..3}.tar", "http://h/x-{0..3}.tar"),
      ("https://me:a%40b@[::1]:8080/x", "https://[::1]:8080/x"),
      // An unencoded / or ? ends the host, so these are refused. Their messages show no part of the password.
      ("http://me:a/b@h/x.tar", "http://h/x.tar"), ("http://me:a?b@h/x.tar", "http://h/x.tar"),
      ("http://me:1/b@h/x.tar", "http://h/x.tar"), ("http://me:1?b@h/x.tar", "http://h/x.tar"),
      // Mistyped schemes, and other ones.
      ("wds:htps://me:p@h/x?s", "wds:htps://h/x?…"), ("wds:https:/h/x?s", "wds:https:/h/x?…"),
      ("wds:https//h/x?s", "wds:https//h/x?…"), ("wds:@https://h/list?s", "wds:@https://h/list?…"),
      ("s3://key:secret@bucket/x", "s3://bucket/x"),
      // What has no secret stays as it is.
      ("http://h:80/x?mail=a%40b", "http://h:80/x?…"), ("http://h:{80,81}/x.tar", "http://h:{80,81}/x.tar"),
      ("https://h/a@b.tar", "https://h/a@b.tar"), ("https://u:p@h/a%40b.tar", "https://h/a%40b.tar"),
      ("folder:/data/what?/a@b", "folder:/data/what?/a@b"),
      ("list:http/x@y", "list:http/x@y"), ("", ""), ("/", "/"),
    ])
  func shown(text: String, expected: String) { #expect(URLText(text).withoutSecrets == expected) }

  @Test(
    "A password with an @ is sent as it was written",
    arguments: [
      ("http://me:a@b@h/x", "a@b"), ("http://me:a%40b@h/x", "a@b"), ("http://me:a,b}c@h/x", "a,b}c"),
    ])
  func sent(text: String, password: String) throws {
    let url = try HTTPAddress(text).url
    #expect(url.host() == "h" && url.user() == "me")
    #expect(url.password(percentEncoded: false) == password)
  }

  @Test(
    "An @ after a host with a port or a user name is refused",
    arguments: [
      "http://me:1/b@h/x", "http://h:8080/a@b.tar", "http://me:p@h/a@b.tar", "http://h:80/x?mail=a@b",
    ])
  func ambiguous(text: String) {
    expectError(.usage, naming: ["percent-encode"]) { _ = try HTTPAddress(text) }
  }

  @Test("A value prints without its secrets")
  func printed() throws {
    let address = try HTTPAddress("https://me:XYZZY@h/x?sig=XYZZY")
    var dumped = ""
    dump(address, to: &dumped)
    for text in ["\(address)", String(reflecting: address), dumped, "\(Optional(address) as Any)"] {
      #expect(!text.contains("XYZZY") && text.contains("https://h/x"), "\(text)")
    }
  }

  /// No random address shows its password or its query: neither in its own text, nor in the error of opening it.
  @Test("100,000 random addresses show no secret")
  func noneIsShown() {
    let secret = "XYZZY"
    var chance = SeededGenerator(seed: 1, .test)
    let schemes = [
      "http://", "https://", "HTTP://", "htps://", "https:/", "https//", "ttp://", "ftp://", "http:///",
    ]
    let kinds = ["wds:", "hf:", "wds:@", "folder:", "zip:", "list:", "", "nokind:", "wds:{", "hf:@"]
    let characters = Array("ab1:@/?#{},%&=+.-_~!$'()*;[]\\ \u{E9}")
    func word(_ most: Int) -> String {
      String((0..<chance.next(below: most + 1)).map { _ in characters[chance.next(below: characters.count)] })
    }
    var shownSecrets: [String] = []
    for number in 0..<100_000 {
      let scheme = schemes[chance.next(below: schemes.count)]
      // Without a colon before the secret, a raw / in it makes it a part of the path.
      let password = "me:" + (chance.nextBool() ? "p" : "") + word(3) + secret + word(2)
      let path = "/x" + word(2) + ".tar"
      let address =
        chance.nextBool()
        ? scheme + password + "@h.invalid" + path : scheme + "h.invalid" + path + "?sig=" + secret + word(3)
      let kind = kinds[chance.next(below: kinds.count)]
      let specification = kind + address
      var texts = [URLText(specification).withoutSecrets, SourceRegistry.withoutSecrets(address)]
      // A valid URL of these kinds would be opened.
      let isOpened =
        number % 10 == 0
        && (!["wds:", "hf:", "wds:{", ""].contains(kind) || (try? HTTPAddress(address)) == nil)
      if isOpened {
        do { _ = try SourceRegistry.open(specification, seed: 1) } catch { texts.append("\(error)") }
      }
      do { texts.append("\(try HTTPAddress(address))") } catch { texts.append("\(error)") }
      if number % 10 == 1 { do { _ = try ShardPattern(address) } catch { texts.append("\(error)") } }
      if texts.contains(where: { $0.contains(secret) }) { shownSecrets.append(specification) }
    }
    #expect(shownSecrets.isEmpty, "\(shownSecrets.count), such as \(shownSecrets.prefix(3))")
  }
}
