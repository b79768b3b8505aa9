/** What new documents begin with, in English. */

export interface Texts {
  readonly blank: string;
  readonly minutes: string;
  readonly paper: string;
  readonly slides: string;
  readonly todo: string;
  readonly table: string;
  readonly notebook: string;
}

const texts: Texts = {
  blank: "",
  minutes: `# Meeting, {date}

Present:
Apologies:
Minutes:

## Agenda

1. Last minutes
2.

## Notes

-

## Decisions

-

## To do

- [ ] What, who, by when

Next meeting:
`,
  paper: `---
title: Title of the paper
author: First Author, Second Author
date: {date}
---

# Abstract

What was asked, what was done, and what came out, in five sentences.

# Introduction

Why this matters.[^1]

# Method

$$
\\hat{\\mu} = \\frac{1}{n} \\sum_{i=1}^{n} x_i
$$

where $x_i$ is the $i$-th of $n$ measurements.

# Results

| Group | n | Mean |
|---|---:|---:|
| A | 12 | 3.1 |
| B | 14 | 2.7 |

# Discussion

What it means, and what it does not mean.

[^1]: A footnote.
`,
  slides: `# Title of the talk

Your name, {date}

---

## One thought a slide

- Three dashes on a line of their own begin the next slide
- Formulas work: $e^{i\\pi} + 1 = 0$

---

## Thank you

Questions?
`,
  todo: `# To do

## Now

- [ ] First thing

## Later

- [ ]

## Done

- [x] Made this list
`,
  table: "Name,Amount,Note\n,,\n",
  notebook: "# Title\n\nWhat this notebook shows.",
};

export default texts;
