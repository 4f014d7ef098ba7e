#pragma once
// Replaces Gloo's header, none of whose declarations is used; see ../../README.md.
