"""Formulas that are typeset."""

TYPESET = [
    r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}",
    r"\sqrt[3]{27} \ne 5\frac12 \dfrac{1}{2}",
    r"\sum_{i=1}^{n} i^2 + \int_0^\infty e^{-x}\,dx",
    r"\lim_{x \to 0} \frac{\sin x}{x} + \tan^{-1} x + \log_{10} 100",
    r"\begin{pmatrix} 1 & 2 \\ 3 & 4 \end{pmatrix} \begin{vmatrix} a & b \\ c & d \end{vmatrix}",
    r"f(x) = \begin{cases} x & x > 0 \\ -x & \text{अन्यथा} \end{cases}",
    r"\begin{aligned} x &= 1 \\ y &= 2 \end{aligned}",
    r"\begin{align*} x &= 1 \\ y &= 2 \end{align*}",
    r"\begin{array}{c|c} p & q \\ \hline T & F \end{array}",
    r"\left( \frac{a}{b} \middle| c \right)^2 \left\{ x \right. \bigl( y \bigr) \binom{n}{k}",
    r"\vec{F} = m\vec{a}, \hat{i} + \bar{x} + \overline{AB} + \underline{x} + \overrightarrow{AB}",
    r"\underbrace{a + b}_{c} \overset{!}{=} \xrightarrow{\text{heat}} \rightleftharpoons",
    r"\triangle ABC \cong \triangle DEF, \angle A = 90^\circ, \therefore x \in \mathbb{R}",
    r"\mathrm{H_2SO_4} + \mathbf{A} \cdot {\bf b} + {}^{14}_{6}\mathrm{C} + {}^nC_r",
    r"f'(x) + f''(x) + \cancel{x} + \boxed{y} + \phantom{z} + 50\% + \$5 + 1{,}000 \not= 2",
]
