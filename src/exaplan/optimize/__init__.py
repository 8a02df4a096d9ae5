"""Build, solve, check and explain linear and mixed-integer programs made of labelled blocks.

The room knows matrices and probabilities, nothing of chips, labs or dollars, and is usable on its own. A problem is
declared as blocks of variables and rows with shapes; coefficients arrive as arrays that broadcast; the built
:class:`~exaplan.optimize.model.Model` is a value: its bounds and costs are changed by making another one that shares
the matrix.

A fleet planned over three nodes of a tree (node 0 now; nodes 1 and 2 are two futures). What is bought now serves in
both futures; demand not served is lost:

>>> import numpy as np
>>> from exaplan.optimize.blocks import Builder
>>> from exaplan.optimize.certificate import certify
>>> from exaplan.optimize.highs import duals, solve, values
>>> parent, probability = np.array([0, 0]), np.array([0.25, 0.75])
>>> demand = np.array([9.0, 4.0])
>>> builder = Builder()
>>> buy = builder.variable("buy", (1,), cost=-1.0)
>>> served = builder.variable("served", (2,), upper=demand, cost=probability * 2.0)
>>> capacity = builder.rows("capacity", (2,), upper=0.0)
>>> builder.add(capacity, capacity.position, served.index, 1.0)
>>> builder.add(capacity, capacity.position, buy.index[parent], -1.0)
>>> model = builder.build("max")
>>> print(model.to_lp_text(), end="")
maximize
  -buy[0] + 0.5 served[0] + 1.5 served[1]
subject to
  capacity[0]: -buy[0] + served[0] <= 0
  capacity[1]: -buy[0] + served[1] <= 0
bounds
  0 <= served[0] <= 9
  0 <= served[1] <= 4

The likely future alone pays for the purchase, so it covers four units; the prices say how much each future pays for
one unit more of capacity:

>>> solution = solve(model)
>>> solution.status, solution.objective, values(solution, buy)
('optimal', 4.0, array([4.]))
>>> duals(solution, capacity)
array([0.5, 0.5])
>>> max(certify(model, solution)) < 1e-9
True

A what-if shares the matrix and starts from the last basis:

>>> more = model.with_changes(upper={"served": [9.0, 6.0]})
>>> solve(more, start=solution.basis).objective
6.0

A program over a tree says which node decides each column. Then the engine can cut the tree and solve the branches one
by one, hot, in threads; ``solve_staged`` chooses by size whether that pays, and the answer carries bounds from both
sides and the same certificate:

>>> from exaplan.optimize.routes import choose_route, solve_staged
>>> from exaplan.optimize.stages import Staged
>>> staged = Staged(model, parent=np.array([-1, 0, 0]), column_node=np.array([0, 1, 2]))
>>> choose_route(staged).reason
'extensive form by simplex: 3 columns are few (up to 30,000 are solved directly)'
>>> answer = solve_staged(staged, route="two-stage")
>>> answer.route.reason
'L-shaped method: asked for, cut at depth 1 into 2 blocks of up to 1 columns under a master of 1'
>>> answer.solution.status, round(answer.solution.objective, 6), round(answer.solution.bound, 6)
('optimal', 4.0, 4.0)
>>> max(certify(model, answer.solution)) < 1e-6
True

What a decision taken before knowing costs: keep the first stage and solve the rest again.

>>> from exaplan.optimize.stages import fixed_before
>>> timid = solve(fixed_before(staged, 1, np.array([3.0, 0.0, 0.0])))
>>> timid.objective
3.0

Modules: ``ranges``, ``blocks`` and ``entries`` (declare), ``model`` (the value), ``mps`` and ``lp_file`` (write it for another
solver), ``linopy_export`` (hand it to linopy, for rows of one's own), ``highs`` (solve; ``HotSolver`` for many small ones),
``many`` (thousands with one matrix at once) with ``programs``, ``tableaus`` and ``walk`` behind it,
``restart`` (solve again from the basis of another model), ``branching`` (branch and bound from a warm start),
``alternatives`` (near-optimal ends of each decision), ``elementary_effects`` (Morris), ``solution`` (what comes back),
``certificate`` (check it without the solver), ``irreducible`` (why there is no solution), ``risk`` (reweighted
probabilities). Over trees: ``stages`` (the tree of a program), ``routes`` (the door), ``decompose`` (the method) with
``split``, ``subproblems``, ``cuts``, ``master`` and ``collapse`` behind it, ``strategies`` (binary choices one by one).
"""
