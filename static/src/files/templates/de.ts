/** Womit neue Dokumente beginnen, auf Deutsch. */

import type { Texts } from "./en.ts";

const texts: Texts = {
  blank: "",
  minutes: `# Besprechung, {date}

Anwesend:
Entschuldigt:
Protokoll:

## Tagesordnung

1. Letztes Protokoll
2.

## Notizen

-

## Beschlüsse

-

## Aufgaben

- [ ] Was, wer, bis wann

Nächster Termin:
`,
  paper: `---
title: Titel der Arbeit
author: Erste Autorin, Zweiter Autor
date: {date}
lang: de
---

# Zusammenfassung

Was gefragt war, was getan wurde und was herauskam, in fünf Sätzen.

# Einleitung

Warum das wichtig ist.[^1]

# Methode

$$
\\hat{\\mu} = \\frac{1}{n} \\sum_{i=1}^{n} x_i
$$

wobei $x_i$ die $i$-te von $n$ Messungen ist.

# Ergebnisse

| Gruppe | n | Mittelwert |
|---|---:|---:|
| A | 12 | 3,1 |
| B | 14 | 2,7 |

# Diskussion

Was es bedeutet, und was nicht.

[^1]: Eine Fußnote.
`,
  slides: `# Titel des Vortrags

Name, {date}

---

## Ein Gedanke je Folie

- Drei Striche in einer eigenen Zeile beginnen die nächste Folie
- Formeln gehen auch: $e^{i\\pi} + 1 = 0$

---

## Danke

Fragen?
`,
  todo: `# Aufgaben

## Jetzt

- [ ] Das Erste

## Später

- [ ]

## Erledigt

- [x] Diese Liste angelegt
`,
  table: "Name,Betrag,Bemerkung\n,,\n",
  notebook: "# Titel\n\nWas dieses Notebook zeigt.",
};

export default texts;
