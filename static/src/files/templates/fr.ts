/** Ce par quoi commencent les nouveaux documents, en français. */

import type { Texts } from "./en.ts";

const texts: Texts = {
  blank: "",
  minutes: `# Réunion du {date}

Présents :
Excusés :
Compte rendu :

## Ordre du jour

1. Dernier compte rendu
2.

## Notes

-

## Décisions

-

## À faire

- [ ] Quoi, qui, pour quand

Prochaine réunion :
`,
  paper: `---
title: Titre de l’article
author: Première autrice, Second auteur
date: {date}
lang: fr
---

# Résumé

La question, la méthode et le résultat, en cinq phrases.

# Introduction

Pourquoi c’est important.[^1]

# Méthode

$$
\\hat{\\mu} = \\frac{1}{n} \\sum_{i=1}^{n} x_i
$$

où $x_i$ est la $i$-ième de $n$ mesures.

# Résultats

| Groupe | n | Moyenne |
|---|---:|---:|
| A | 12 | 3,1 |
| B | 14 | 2,7 |

# Discussion

Ce que cela veut dire, et ce que cela ne veut pas dire.

[^1]: Une note de bas de page.
`,
  slides: `# Titre de l’exposé

Nom, {date}

---

## Une idée par diapositive

- Trois tirets seuls sur une ligne commencent la diapositive suivante
- Les formules marchent aussi : $e^{i\\pi} + 1 = 0$

---

## Merci

Des questions ?
`,
  todo: `# À faire

## Maintenant

- [ ] La première chose

## Plus tard

- [ ]

## Fait

- [x] Créer cette liste
`,
  table: "Nom,Montant,Remarque\n,,\n",
  notebook: "# Titre\n\nCe que montre ce notebook.",
};

export default texts;
