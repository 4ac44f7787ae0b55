/**
 * Names for containers nobody named: an adjective and somebody worth remembering.
 *
 * @module
 */

const ADJECTIVES =
  "admiring agile amazing bold brave bright calm clever cool curious daring dazzling deft eager earnest elegant epic fair fearless festive focused friendly frosty gallant gentle gifted graceful happy hardy hopeful humble jolly keen kind laughing lively loyal lucid lucky magical merry mild modest musing nifty nimble noble optimistic patient peaceful playful polite practical quick quiet quirky relaxed serene sharp shy silent sleepy smart snappy sober stoic sunny sweet swift tender trusting upbeat vibrant vigilant warm wise witty wonderful youthful zealous zen"
    .split(" ");
const SURNAMES =
  "abel agnesi allen ampere archimedes babbage banach bardeen bartik bell benz bernoulli bhabha blackwell bohr boole bose brahe brown carson cartwright cerf chandrasekhar chatelet clarke cori cray curie darwin davinci dijkstra dirac easley edison einstein elion engelbart euclid euler faraday feistel fermat fermi feynman franklin galileo galois gauss germain goodall gould hamilton hawking heisenberg hellman hertz heyrovsky hodgkin hoover hopper hypatia jackson jang jemison johnson joliot kalam kare keller kepler khayyam kilby knuth kowalevski lalande lamarr lamport leakey leavitt lehmann lichterman liskov lovelace lumiere margulis maxwell mayer mccarthy mcclintock meitner mendel mendeleev mirzakhani montalcini moore morse moser napier nash neumann newton nightingale nobel noether noyce panini pare pascal pasteur payne perlman pike poincare ptolemy raman ramanujan ride ritchie robinson roentgen rosalind rubin saha sammet shannon shaw shirley sinoussi snyder spence stonebraker swanson swartz tesla tharp thompson torvalds turing varahamihira villani volhard wescoff wiles williams wilson wing wozniak wright yalow yonath"
    .split(" ");

/** A name like `brave_lovelace`; from the second attempt on with a digit after it. */
export function randomName(attempt = 0): string {
  const pick = (words: string[]) => words[Math.floor(Math.random() * words.length)]!;
  const digit = attempt === 0 ? "" : String(Math.floor(Math.random() * 10));
  return `${pick(ADJECTIVES)}_${pick(SURNAMES)}${digit}`;
}

/** 32 random bytes in hex, as ids are; never all digits at the start, so that a prefix is no number. */
export function randomId(): string {
  for (;;) {
    const id = crypto.getRandomValues(new Uint8Array(32)).toHex();
    if (/[a-f]/.test(id.slice(0, 12))) return id;
  }
}
