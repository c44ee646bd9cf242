/** Limits of conditions and templates. All are chosen: far above what people write, far below what could stall a request. */

/** Operators and values of one condition, lists of plain values not counted. A thousand comparisons take some 50 µs. */
export const RULE_NODES_MAX = 1_000;
/** Levels of operators within operators. Compilation and evaluation go as deep on the stack. */
export const RULE_DEPTH_MAX = 32;
/** Plain values of one list that is written out: a list of customers or postcodes fits, looked up in constant time. */
export const RULE_LIST_ITEMS_MAX = 10_000;
/** Names in one path. The deepest paths of XDM have eight. */
export const PATH_NAMES_MAX = 16;
/** Characters of one path. */
export const PATH_CHARACTERS_MAX = 512;
/** Characters of a pattern for `matches`. */
export const PATTERN_CHARACTERS_MAX = 256;
/** Instructions that a pattern compiles to: `(x{100}){10}` has few characters and a thousand instructions. */
export const PATTERN_INSTRUCTIONS_MAX = 300;
/** Texts that `matches` looks through: URLs and user agents have fewer characters. A longer one is an error. */
export const PATTERN_TEXT_CHARACTERS_MAX = 2_048;
/** Texts that every other operator looks at or makes: the longest URLs have as many. A longer one is an error. */
export const TEXT_CHARACTERS_MAX = 8_192;
/** Problems told of one condition: the first ones are those to mend. */
export const PROBLEMS_MAX = 20;
/** Characters of one comparison in plain words. */
export const LEAF_CHARACTERS_MAX = 200;
/** Audiences that name audiences that name audiences: as deep on the stack. */
export const AUDIENCE_DEPTH_MAX = 16;

/**
 * What one test of a condition may spend on lists, long texts and patterns, in steps of at most 65 ns, so 2 ms in all: a list
 * costs its items times the parts of the condition that is tried on them, a text that is looked through a step for each 8
 * characters, a pattern its instructions times the characters. A comparison that would go beyond it is an error.
 */
export const STEPS_MAX = 30_000;

/** Places for facts in one text: with the next limit, a text grows by 200 KB at most, whatever an event holds. */
export const TEMPLATE_PLACEHOLDERS_MAX = 200;
/** Characters of a value that is filled in. Longer ones are nobody's name: the default stands there. */
export const TEMPLATE_VALUE_CHARACTERS_MAX = 1_024;
