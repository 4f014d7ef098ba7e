import Testing

@testable import OnePassBrokers

@Suite("Headers of NATS") struct NATSHeaderTests {
  @Test("A value that is not a line is percent-encoded under a name with an asterisk")
  func encoding() {
    let cases: [(value: [UInt8], name: String, text: String)] = [
      (Array("7".utf8), "label", "7"), ([0, 255], "label*", "''%00%FF"), ([], "label*", "''"),
      (Array(" 7".utf8), "label*", "''%20%37"),
    ]
    for (value, name, text) in cases {
      let encoded = NATSHeaders.encode(BrokerHeader("label", value))
      #expect(encoded.name == name && encoded.value == text)
      #expect(NATSHeaders.decode(name, Array(text.utf8)) == BrokerHeader("label", value))
    }
    // Headers of others that are not encoded.
    for text in ["7", "''%F", "''%GG"] {
      #expect(NATSHeaders.decode("label*", Array(text.utf8)) == BrokerHeader("label*", text.utf8))
    }
  }

  @Test(
    "The sequences are read from a reply subject of old and new servers", arguments: ["", "domain.account."])
  func subjects(prefix: String) throws {
    let text = "$JS.ACK.\(prefix)photos.consumer.1.20.10.1700000000000000000.5"
    let subject = try #require(DeliverySubject(prefix.isEmpty ? text : text + ".token"))
    #expect(subject.stream == 20 && subject.consumer == 10 && subject.pending == 5)
    #expect(DeliverySubject("_INBOX.x") == nil)
    #expect(DeliverySubject("$JS.ACK.photos.consumer.1.x.10.17.5") == nil)
    #expect(DeliverySubject("$JS.ACK.photos.consumer.1.99999999999999999999.10.17.5") == nil)
  }
}
