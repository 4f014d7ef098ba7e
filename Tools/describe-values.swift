// Appends the values and the default to the description of each option: --help prints them, but the man page generator omits
// them. The generator also drops non-ASCII characters, so α is encoded as @u03B1@; scripts/man decodes it to roff's \[u03B1].
//
//   onepass --experimental-dump-help | swift Tools/describe-values.swift
//
// Reads from standard input and writes to standard output swift-argument-parser's description of a command line (ToolInfo, JSON).
import Foundation

func describe(argument: [String: Any]) -> [String: Any] {
  guard argument["kind"] as? String == "option" else { return argument }
  let abstract = argument["abstract"] as? String ?? ""
  var facts: [String] = []
  if let values = argument["allValues"] as? [String] { facts.append("values: \(values.joined(separator: ", "))") }
  if let value = argument["defaultValue"] as? String { facts.append("default: \(value)") }
  guard !facts.isEmpty else { return argument }
  var described = argument
  described["abstract"] = "\(abstract) (\(facts.joined(separator: "; ")))"
  return described
}

func describe(command: [String: Any]) -> [String: Any] {
  var described = command
  described["arguments"] = (command["arguments"] as? [[String: Any]])?.map(describe(argument:))
  described["subcommands"] = (command["subcommands"] as? [[String: Any]])?.map(describe(command:))
  return described
}

let input = FileHandle.standardInput.readDataToEndOfFile()
guard var tool = try JSONSerialization.jsonObject(with: input) as? [String: Any],
  let command = tool["command"] as? [String: Any]
else { exit(65) }
tool["command"] = describe(command: command)
let text = String(decoding: try JSONSerialization.data(withJSONObject: tool), as: UTF8.self)
let ascii = text.unicodeScalars.map { $0.isASCII ? String($0) : String(format: "@u%04X@", $0.value) }.joined()
FileHandle.standardOutput.write(Data(ascii.utf8))
