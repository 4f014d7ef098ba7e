# Gathers the Swift of the documentation into one file that the compiler can check:
#   awk -f Tools/documentation_examples.awk FILE… > examples.swift
# The blocks of a page become one function, in their order; a block above a declaration becomes a separate function. A block may
# use the properties of `Given` (Tools/documentation_given.swift) and declarations in a hidden comment on its page,
# <!-- swift … -->. Messages of the compiler name the page and the line.
function begin() { print "extension Given { func example" ++count "() async throws {" }
function end() { print "} }" }
function location() { printf "#sourceLocation(file: \"%s\", line: %d)\n", FILENAME, FNR + 1 }
FNR == 1 {
  if (isPage) end()
  isPage = FILENAME ~ /\.md$/
  if (isPage) begin()
}
{
  line = $0
  if (!isPage) {
    if (line !~ /^[ \t]*\/\/\//) next
    sub(/^[ \t]*\/\/\/ ?/, "", line)
  }
}
!inside && (line == "```swift" || (isPage && line == "<!-- swift")) {
  inside = 1
  if (!isPage) begin()
  location()
  next
}
inside && (line == "```" || line == "-->") {
  inside = 0
  print "#sourceLocation()"
  if (!isPage) end()
  next
}
# A function cannot import anything; the file imports what programs import.
inside && line !~ /^(@preconcurrency )?import / { print line }
inside && line ~ /^(@preconcurrency )?import / { print "" }
END { if (isPage) end() }
