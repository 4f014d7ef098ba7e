# Names every link, file and test of a Markdown page that does not exist, as PAGE:LINE, and fails if there is one:
#   awk -f Tools/documentation_links.awk stage=files LIST stage=tests FILE.swift… stage=headings PAGE… stage=links PAGE…
# LIST has the files of the repository, one a line. A link may have an anchor, as GitHub makes it of a heading. `Sources/…` and its
# like in code must exist as well (paths may start in Sources/ or Tests/; names with "Your" are patterns), and so must `SuiteTests.test`.
function slug(text) {
  gsub(/\]\([^()]*\)/, "", text)
  text = tolower(text)
  gsub(/[^a-z0-9 _\200-\377-]/, "", text)
  gsub(/ /, "-", text)
  return text
}
function normal(path, parts, count, i, kept, depth, result) {
  count = split(path, parts, "/")
  depth = 0
  for (i = 1; i <= count; i++) {
    if (parts[i] == "" || parts[i] == ".") continue
    if (parts[i] == ".." && depth > 0) depth--
    else kept[++depth] = parts[i]
  }
  result = ""
  for (i = 1; i <= depth; i++) result = result (i > 1 ? "/" : "") kept[i]
  return result
}
function folder(path) { return path ~ /\// ? substr(path, 1, match(path, /\/[^\/]*$/)) : "" }
function fail(text) { printf "%s:%d: %s\n", FILENAME, FNR, text; bad = 1 }
function check_link(target, anchor, path) {
  if (target ~ /^[a-z]+:/) return
  anchor = ""
  if (target ~ /#/) { anchor = target; sub(/^[^#]*#/, "", anchor); sub(/#.*/, "", target) }
  path = target == "" ? FILENAME : normal(folder(FILENAME) target)
  if (!(path in exists)) fail("the link to " target " leads nowhere")
  else if (anchor != "" && !((path, anchor) in anchors)) fail(path " has no heading for #" anchor)
}
function check_code(text, top, i) {
  if (text ~ /^[A-Za-z]+Tests(\.[A-Za-z0-9]+)?$/) return check_test(text)
  if (text !~ /^[A-Za-z0-9_.+-]+\/[A-Za-z0-9_.+\/-]*$/ || text ~ /Your/) return
  top = text
  sub(/\/.*/, "", top)
  if (!(top in exists) && !(("Sources/" top) in exists) && !(("Tests/" top) in exists)) return
  sub(/\/+$/, "", text)
  for (i in places) if ((places[i] text) in exists || (places[i] text ".swift") in exists) return
  if (normal(folder(FILENAME) text) in exists) return
  fail("`" text "` does not exist")
}
function check_test(text, parts, found, file) {
  split(text, parts, ".")
  if (("Tests/" parts[1]) in exists) return
  if (!(parts[1] in suites)) return fail("there is no suite `" parts[1] "`")
  if (parts[2] == "") return
  found = split(suites[parts[1]], files, "\n")
  for (; found > 0; found--) if ((files[found], parts[2]) in tests) return
  fail("there is no test `" text "`")
}
BEGIN { places[1] = ""; places[2] = "Sources/"; places[3] = "Tests/" }
stage == "files" {
  path = $0
  while (path != "") { exists[path] = 1; if (path !~ /\//) break; sub(/\/[^\/]*$/, "", path) }
  next
}
stage == "tests" {
  if (match($0, /(struct|class|extension|enum) [A-Za-z]+Tests/)) {
    name = substr($0, RSTART, RLENGTH)
    sub(/^[a-z]+ /, "", name)
    suites[name] = suites[name] FILENAME "\n"
  }
  if (match($0, /func [A-Za-z0-9]+/)) tests[FILENAME, substr($0, RSTART + 5, RLENGTH - 5)] = 1
  next
}
FNR == 1 { fenced = 0 }
/^ *```/ { fenced = !fenced; next }
fenced { next }
stage == "headings" {
  if (/^#+ /) {
    text = $0
    sub(/^#+ +/, "", text)
    text = slug(text)
    anchors[FILENAME, (seen[FILENAME, text]++ ? text "-" (seen[FILENAME, text] - 1) : text)] = 1
  }
  next
}
{
  line = $0
  while (match(line, /\]\([^() ]*\)/)) {
    name = substr(line, RSTART + 2, RLENGTH - 3)
    line = substr(line, RSTART + RLENGTH)
    check_link(name)
  }
  if (match($0, /^\[[^][]+\]: [^ ]+/)) { line = substr($0, 1, RLENGTH); sub(/^.*\]: /, "", line); check_link(line) }
  line = $0
  while (match(line, /`[^`]+`/)) {
    name = substr(line, RSTART + 1, RLENGTH - 2)
    line = substr(line, RSTART + RLENGTH)
    check_code(name)
  }
}
END { exit bad }
