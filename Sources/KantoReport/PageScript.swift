/// What a page does beyond showing: everything is drawn without it.
let pageScript = #"""
    (function(){
    'use strict';
    var D=JSON.parse(document.getElementById('data').textContent),root=document.documentElement;
    var $=function(s,e){return(e||document).querySelector(s)};
    var $$=function(s,e){return Array.prototype.slice.call((e||document).querySelectorAll(s))};
    root.classList.add('js');
    var S=[0,.0025,.005,.01,.02,.04,.08],scale='settled',axis='iterations',sigma=D.sigma,cursor=null;
    var ok=function(v){return v!==null&&v!==undefined&&isFinite(v)};
    function fmt(v,pct){
     if(!ok(v))return'–';if(pct)return Math.round(v*100)+'%';
     var a=Math.abs(v);if(a>=1e6)return(v<0?'−':'')+a.toExponential(1).replace('+','');
     return(v<0?'−':'')+a.toFixed(a>=100?0:a>=10?1:a>=1?2:a>=.1?3:4)}
    function int(v){return String(Math.round(v)).replace(/\B(?=(\d{3})+$)/g,',')}
    function clock(s){s=Math.floor(s);var h=Math.floor(s/3600),m=Math.floor(s/60)%60,two=function(n){return(n<10?'0':'')+n};
     return(h?h+':'+two(m):m)+':'+two(s%60)}
    /* Gaussian, centered, renormalized at the ends and gaps; sigma is a share of the run */
    function smooth(y,s){
     if(s<.3)return y;var r=Math.ceil(3*s),k=[],o=[],i,j;for(i=-r;i<=r;i++)k.push(Math.exp(-i*i/(2*s*s)));
     for(i=0;i<y.length;i++){if(!ok(y[i])){o.push(null);continue}var t=0,w=0;
      for(j=Math.max(0,i-r);j<=Math.min(y.length-1,i+r);j++)if(ok(y[j])){t+=k[j-i+r]*y[j];w+=k[j-i+r]}o.push(t/w)}
     return o}
    function ticks(lo,hi,want){
     var m=Math.pow(10,Math.floor(Math.log10((hi-lo)/want/10))),s=[1,2,2.5,5,10,20,25,50,100,200].filter(function(f){f*=m;
      return Math.floor(hi/f+1e-6)-Math.ceil(lo/f-1e-6)+1<=want})[0]*m,o=[];
     for(var v=Math.ceil(lo/s-1e-6)*s;v<=hi+s*1e-6;v+=s)o.push(Math.abs(v)<s*1e-6?0:v);return o}
    function tickText(v,list,pct){
     if(pct)return Math.round(v*100)+'%';var step=list.length>1?Math.abs(list[1]-list[0]):Math.abs(v)||1,d=0;
     while(d<6&&Math.abs(step*Math.pow(10,d)-Math.round(step*Math.pow(10,d)))>1e-6)d++;
     return d>=6&&v!==0?v.toExponential(1).replace('-','−'):(v<0?'−':'')+Math.abs(v).toFixed(d)}
    /* the axes: where an iteration of a run stands, from 0 to 1, and back */
    function secondsAt(r,it){
     var p=it/r.b,i=Math.floor(p);if(i>=r.t.length)return r.t[r.t.length-1];var a=i?r.t[i-1]:0,size=Math.min(r.b,r.n-i*r.b);
     return a+(r.t[i]-a)*Math.min(1,(p-i)*r.b/size)}
    function X(r,it){return Math.min(1,axis==='seconds'?secondsAt(r,it)/D.t:it/D.n)}
    function iterationAt(r,f){
     if(axis!=='seconds')return f*D.n;var t=f*D.t,lo=0,hi=r.n;if(t>r.t[r.t.length-1])return r.n*(1+1e-9)+1;
     for(var i=0;i<40;i++){var m=(lo+hi)/2;if(secondsAt(r,m)<t)lo=m;else hi=m}return lo}
    function domain(p){
     if(p.pct||scale==='settled')return{lo:p.range[0],hi:p.range[1],log:false};
     return scale==='log'&&p.ends[0]>0&&!p.heat?{lo:p.ends[0]*.9,hi:p.ends[1]*1.15,log:true}:{lo:p.whole[0],hi:p.whole[1],log:false}}
    function place(d,v){
     var t=d.log?(Math.log(v)-Math.log(d.lo))/(Math.log(d.hi)-Math.log(d.lo)):(v-d.lo)/(d.hi-d.lo);
     return Math.max(-60,Math.min(160,100-100*t))}
    function px(s,i){var r=D.runs[s.run];return X(r,Math.min(r.n,(i+s.o)*s.b))*1000}
    function at(s,d,v,i){return ok(v)?px(s,i).toFixed(1)+' '+place(d,v).toFixed(2):null}
    function line(s,y,d){var o='',pen=false;
     y.forEach(function(v,i){var p=at(s,d,v,i);o+=p?(pen?'L':'M')+p:'';pen=!!p});return o}
    function band(s,d){
     var o='',i=0,n=s.lo.length;while(i<n){if(!ok(s.lo[i])||!ok(s.hi[i])){i++;continue}
      var a=[],b=[];for(;i<n&&ok(s.lo[i])&&ok(s.hi[i]);i++){a.push(at(s,d,s.lo[i],i));b.unshift(at(s,d,s.hi[i],i))}
      o+='M'+a.concat(b).join('L')+'Z'}return o}
    function draw(p){
     var el=$('#p-'+p.id),d=domain(p);p.d=d;
     p.series.forEach(function(s){
      var r=D.runs[s.run],k=s.run;s.y=smooth(s.mean,sigma*s.mean.length);var path=line(s,s.y,d);
      $$('.s'+k+'.line,.s'+k+'.halo',el).forEach(function(e){e.setAttribute('d',path)});
      var e=$('.s'+k+'.band',el);if(e)e.setAttribute('d',band(s,d));
      if(p.heat){var plot=$('.h'+k,el),y=(D.bins-d.hi/D.binw).toFixed(2),h=((d.hi-d.lo)/D.binw).toFixed(2);
       $('.cells',plot).setAttribute('viewBox','0 '+y+' '+(r.n/r.c/Math.max(1e-9,X(r,r.n))).toFixed(3)+' '+h);
       $('.marg',plot).setAttribute('viewBox','0 '+y+' 1 '+h)}});
     $$('.plot',el).forEach(function(plot){
      $$('.g:not(.target),.y',plot).forEach(function(e){e.remove()});
      var list;if(d.log){list=[];for(var e=Math.floor(Math.log10(d.lo));e<=Math.ceil(Math.log10(d.hi));e++)
       [1,3].forEach(function(m){var v=m*Math.pow(10,e);if(v>=d.lo&&v<=d.hi)list.push(v)})}
      else list=ticks(d.lo,d.hi,plot.clientHeight>120?5:3);
      list.forEach(function(v){
       var y=place(d,v),g=document.createElement('div'),t=document.createElement('span');
       g.className='g'+(v===0?' zero':'');g.style.top=y+'%';t.className='y';t.style.top=y+'%';
       t.textContent=d.log?String(+v.toPrecision(1)):tickText(v,list,p.pct);plot.insertBefore(g,plot.firstChild);plot.appendChild(t)});
      var tg=$('.g.target',plot),tt=$('.tag.target',plot),y;
      if(tg){y=place(d,p.target[0]);tg.style.top=y+'%';tt.style.top='calc('+y+'% + 5px)';tg.hidden=tt.hidden=y<0||y>100}});
     $$('.clip',el).forEach(function(e){e.hidden=scale!=='settled';
      if(e.dataset.at)e.style.left=X(D.runs[+e.dataset.run],+e.dataset.at)*100+'%'});
     $('.scale',el).textContent=scale==='log'&&!d.log&&!p.pct?'Stays linear.':''}
    function marg(p,s,i){
     if(!s.hist)return;var e=$('.m'+s.run,$('#p-'+p.id));if(!e.dataset.rest)e.dataset.rest=e.getAttribute('d');
     if(i<0){e.setAttribute('d',e.dataset.rest);return}
     var h=s.hist[Math.min(s.hist.length-1,i)],m=Math.max.apply(null,h.slice(1)),o='';
     for(var j=1;j<h.length;j++)if(h[j])o+='M0 '+(D.bins-1-(h[0]+j-1))+'h'+(h[j]/m).toFixed(3)+'v.86H0z';e.setAttribute('d',o)}
    function near1(h){var t=0,w=0;for(var i=1;i<h.length;i++){t+=h[i];var v=(h[0]+i-.5)*D.binw;if(v>.9&&v<1.1)w+=h[i]}
     return t?fmt(w/t,true)+' within 10%':''}
    function xText(f){return axis==='seconds'?clock(f*D.t):int(Math.max(1,f*D.n))}
    function show(f){ /* f: share of the x axis, or null for the state at rest */
     cursor=f;D.panels.forEach(function(p){
      var el=$('#p-'+p.id);
      p.series.forEach(function(s){
       var k=s.run,r=D.runs[k],n=s.mean.length,it=f===null?r.n:iterationAt(r,f),past=it>r.n+1e-6*r.n;
       var i=Math.max(0,Math.min(n-1,Math.floor(it/s.b))),v=$('.v'+k,el),q=$('.r'+k,el);
       var h=s.hist?Math.max(0,Math.min(s.hist.length-1,Math.floor(it/r.c))):-1;
       if(!v.dataset.rest){v.dataset.rest=v.textContent;if(q)q.dataset.rest=q.textContent}
       if(f===null){v.textContent=v.dataset.rest;if(q)q.textContent=q.dataset.rest}
       else{v.textContent=past?'–':fmt(s.mean[i],p.pct);
        if(q)q.textContent=past?'':s.hist?near1(s.hist[h]):s.lo?fmt(s.lo[i])+' to '+fmt(s.hi[i]):''}
       var plot=$('.plot'+(p.heat?'.h'+k:''),el),dot=$('.d'+k,plot);
       if(!dot){dot=document.createElement('div');dot.className='dot d'+k+' '+r.cls;plot.appendChild(dot)}
       dot.hidden=f===null||past||!ok(s.y[i]);
       if(!dot.hidden){dot.style.left=px(s,i)/10+'%';dot.style.top=Math.max(0,Math.min(100,place(p.d,s.y[i])))+'%'}
       marg(p,s,f===null?-1:h)});
      $$('.cur',el).forEach(function(c){c.hidden=f===null;if(f!==null)c.style.left=f*100+'%'})});
     var x=$('.x .now');x.hidden=f===null;if(f!==null){x.textContent=xText(f);x.style.left=Math.max(3,Math.min(97,f*100))+'%'}
     cur.setAttribute('aria-valuetext',(axis==='seconds'?'':'iteration ')+xText(f===null?1:f)+': '+D.panels.map(function(p){
      return p.name+' '+p.series.map(function(s){return $('.v'+s.run,$('#p-'+p.id)).textContent}).join(' and ')}).join(', '))}
    function marks(){
     var x=$('.x',$('.axis')),now=$('.now',x);$$('span:not(.now)',x).forEach(function(e){e.remove()});
     var end=axis==='seconds'?D.t:D.n,list;
     if(axis==='seconds'){var st=[1,2,5,10,15,30,60,120,300,600,900,1800,3600,7200,14400,28800,86400].filter(function(s){
       return end/s<=6})[0]||Math.ceil(end/6);list=[];for(var v=st;v<=end;v+=st)list.push(v)}
     else list=ticks(0,end,6).filter(function(v){return v===Math.round(v)});
     var add=function(f,t,c){var s=document.createElement('span');s.textContent=t;s.className=c;s.style.left=f*100+'%';x.insertBefore(s,now)};
     add(0,axis==='seconds'?'0:00':'1','');
     list.forEach(function(v){if(v>0&&v<end*.94)add(v/end,axis==='seconds'?clock(v):int(v),'')});
     add(1,axis==='seconds'?clock(end):int(end),'end')}
    function redraw(){marks();D.panels.forEach(draw);show(cursor)}
    /* samples through time */
    var film=$('#film');
    function frameOf(r,it){var b=null;r.frames.forEach(function(f){if(f.i<=it)b=f});return b||r.frames[0]}
    function swap(id,name,v){
     var e=$('#'+id);if(!e)return;if(!e.dataset.last)e.dataset.last=e.getAttribute(name);e.setAttribute(name,v===undefined?e.dataset.last:v)}
    function frame(){
     var it=D.its[+film.value];$('#film-out').textContent=int(it);film.setAttribute('aria-valuetext','iteration '+int(it));
     D.runs.forEach(function(r,k){
      var f=frameOf(r,it),im=$('#sheet'+k);if(!f)return;
      swap('sheet'+k,'src',f.src);if(im)im.alt=im.alt.replace(/iteration [\d,]+/,'iteration '+int(f.i));
      swap('points'+k,'d',f.points);swap('ways'+k,'d',f.ways);swap('arrows'+k,'d',f.arrows);swap('surface'+k,'href',f.surface);
      var fig=im||$('#points'+k);fig=fig&&fig.closest('figure');if(fig)$('.frame-it',fig).textContent=int(f.i)})}
    function nearest(f){
     if(!film)return;var it=iterationAt(D.runs[0],f),b=0;
     D.its.forEach(function(v,i){if(Math.abs(v-it)<Math.abs(D.its[b]-it))b=i});film.value=b;frame()}
    if(film){film.addEventListener('input',function(){frame();if(cur)show(X(D.runs[0],D.its[+film.value]))});
     film.addEventListener('blur',function(){if(cur)show(null)})}
    /* cursor: pointer and keys */
    var chart=$('.chart'),cur=$('#cursor'),sm=$('#smooth');
    function rest(){show(document.activeElement===cur?+cur.value/D.n:null)}
    function smText(){$('#smooth-out').textContent=sigma===0?'none':'σ '+int(sigma*D.n)+' iterations'}
    function chosen(name){var e=$('input[name='+name+']:checked');return e&&e.value}
    if(chart){
     chart.addEventListener('pointermove',function(e){var p=$('.plot',chart).getBoundingClientRect(),f=(e.clientX-p.left)/p.width;
      if(f<0||f>1)rest();else show(f)});
     chart.addEventListener('pointerleave',rest);
     chart.addEventListener('click',function(){if(cursor===null)return;
      var f=cursor;cur.value=Math.round(f*D.n);cur.focus({preventScroll:true});nearest(f)});
     ['input','focus'].forEach(function(n){cur.addEventListener(n,function(){show(+cur.value/D.n)})});
     cur.addEventListener('blur',function(){show(null)});
     cur.addEventListener('keydown',function(e){
      if(e.key==='Escape'){cur.blur();return}var d=e.key==='ArrowLeft'?-1:e.key==='ArrowRight'?1:0;if(!d)return;
      e.preventDefault();cur.value=+cur.value+d*(e.shiftKey?Math.max(1,D.n/40):D.runs[0].b);show(+cur.value/D.n)});
     $$('input[name=scale],input[name=axis]').forEach(function(i){i.addEventListener('change',function(){read();redraw();keep()})});
     sm.addEventListener('input',function(){read();redraw();keep()})}
    /* copy */
    $$('.cmd code').forEach(function(c){
     var t=$('.t',c).textContent,b=document.createElement('button');b.type='button';b.textContent='Copy';
     b.setAttribute('aria-label','Copy: '+t);c.appendChild(b);
     b.addEventListener('click',function(){
      var done=function(){b.textContent='Copied';setTimeout(function(){b.textContent='Copy'},1500)};
      var old=function(){var a=document.createElement('textarea');a.value=t;document.body.appendChild(a);a.select();
       document.execCommand('copy');a.remove();done()};
      if(navigator.clipboard&&window.isSecureContext)navigator.clipboard.writeText(t).then(done,old);else old()})});
    /* a run that goes on: read the file again every 15 s while the page is seen, and keep the settings */
    var key='kanto '+D.id;
    function read(){scale=chosen('scale')||scale;axis=chosen('axis')||axis;sigma=S[+sm.value];smText()}
    function check(name,v){$$('input[name='+name+']').forEach(function(i){i.checked=i.value===v})}
    function keep(){try{sessionStorage.setItem(key,JSON.stringify({scale:scale,axis:axis,sm:sm?sm.value:3,y:scrollY}))}catch(e){}}
    try{var k=JSON.parse(sessionStorage.getItem(key));
     if(k&&D.running){if(sm){sm.value=k.sm;check('scale',k.scale);check('axis',k.axis)}scrollTo(0,k.y)}}catch(e){}
    if(D.running)setInterval(function(){
     if(!document.hidden&&cursor===null&&(!film||document.activeElement!==film)){keep();location.reload()}},15000);
    /* browsers may restore the controls of an earlier visit: believe the controls */
    if(film)frame();if(chart){read();redraw()}
    })();
    """#
